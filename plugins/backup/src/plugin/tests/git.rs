use super::*;

/// A destination whose root is a repository.
fn started(more: Value) -> (TempDir, PluginHarness<Backup>) {
    let root = tempfile::tempdir().unwrap();
    let mut config = json!({ "storage": "git", "root": root.path().join("repository") });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let harness = PluginHarness::builder().config(config).now_unix_ms(RECEIVED).start().unwrap();
    (root, harness)
}

#[track_caller]
fn deliver(harness: &PluginHarness<Backup>, event: &str, collection: String) -> Value {
    let outcome = harness.deliver(&EventFixture::collection_backup(collection).id(event));
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    harness.advance(Duration::from_secs(60));
    outcome.record.unwrap()
}

#[test]
fn versions_are_commits_that_actions_list_show_and_compare() {
    let (root, harness) = started(json!({ "git": { "message": "{name}: {summary}" } }));
    let first = deliver(&harness, "event-1", shop("a"));
    let again = deliver(&harness, "event-2", shop("a"));
    let second = deliver(&harness, "event-3", shop("b"));
    assert_eq!((&again["version"], &again["unchanged"]), (&first["version"], &json!(true)));
    assert_eq!((&second["before"], &second["copy"]), (&first["version"], &Value::Null));
    let file = root.path().join("repository").join(second["file"].as_str().unwrap());
    assert_eq!(fs::read_to_string(file).unwrap(), shop("b"));
    assert_eq!(harness.emitted().iter().filter(|event| event.kind == "backup_changed").count(), 1);

    let listed = harness.act("collections", &json!({})).unwrap();
    let place = listed["storage"].as_str().unwrap();
    assert!(place.starts_with("the git repository ") && place.ends_with("repository"), "{place}");
    assert_eq!(listed["collections"][0]["versions"], 2);
    let versions = harness.act("versions", &json!({ "collection": ID })).unwrap();
    let ids: Vec<_> = versions["versions"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [&second["version"], &first["version"]]);
    let shown = json!({ "collection": ID, "version": first["version"] });
    assert_eq!(harness.act("show", &shown).unwrap()["body"], shop("a"));
    assert_eq!(harness.act("diff", &json!({ "collection": ID })).unwrap()["before"]["id"], first["version"]);
    assert_eq!(harness.act("verify", &json!({})).unwrap()["ok"], true);
}

#[test]
fn nothing_is_pruned() {
    let (_root, harness) = started(json!({}));
    deliver(&harness, "event-1", shop("a"));
    for input in [json!({}), json!({ "retention": { "last": 1 }, "dry_run": true })] {
        let refused = harness.act("prune", &input);
        let Err(ActionError::Conflict(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("git keeps every version"), "{why}");
    }
    let failure = failure(&Error::KeepsAll);
    assert!(matches!(&failure, Failure::Permanent { code, .. } if code == "keeps_all"), "{failure:?}");
}

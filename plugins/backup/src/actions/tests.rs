mod restore;

use std::{fs, path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postroom_sdk::{
    ActionError,
    testing::{EventFixture, OutcomeKind, PluginHarness},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin::Backup;

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";

fn shop(request: &str) -> String {
    format!(r#"{{"info":{{"_postman_id":"{ID}","name":"Shop"}},"item":[{{"name":"{request}"}}]}}"#)
}

/// A backup of some versions, a minute apart.
fn backup_of(more: Value, requests: &[&str]) -> (TempDir, PluginHarness<Backup>) {
    let root = tempfile::tempdir().unwrap();
    let mut config = json!({ "root": root.path() });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let harness = PluginHarness::builder().config(config).now_unix_ms(1_795_289_807_042).start().unwrap();
    for request in requests {
        let outcome = harness.deliver(&EventFixture::collection_backup(shop(request)));
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
        harness.advance(Duration::from_secs(60));
    }
    (root, harness)
}

/// The ids of all versions, the newest first.
fn ids(harness: &PluginHarness<Backup>) -> Vec<String> {
    let versions = harness.act("versions", &json!({ "collection": ID })).unwrap();
    let ids = versions["versions"].as_array().unwrap().iter();
    ids.map(|version| version["id"].as_str().unwrap().to_owned()).collect()
}

fn file_of(root: &Path, harness: &PluginHarness<Backup>, id: &str) -> std::path::PathBuf {
    let shown = harness.act("show", &json!({ "collection": ID, "version": id })).unwrap();
    root.join(shown["version"]["file"].as_str().unwrap())
}

#[test]
fn collections_and_versions_are_listed() {
    let (root, harness) = backup_of(json!({}), &["a", "a", "b", "c"]);
    let listed = harness.act("collections", &json!({})).unwrap();
    assert_eq!(listed["storage"], format!("folder {}", root.path().display()));
    let collection = &listed["collections"][0];
    assert_eq!((&collection["collection"], &collection["versions"]), (&json!(ID), &json!(3)));
    assert_eq!(collection["newest"]["name"], "Shop");

    let all = ids(&harness);
    assert_eq!(all.len(), 3);
    let page = json!({ "collection": format!("12345-{ID}"), "limit": 1, "older_than": all[0] });
    let page = harness.act("versions", &page).unwrap();
    assert_eq!((&page["versions"][0]["id"], &page["total"]), (&json!(all[1]), &json!(3)));
    let first = harness.act("show", &json!({ "collection": ID, "version": all[2] })).unwrap();
    assert_eq!(first["version"]["seen"], 1);
    assert_eq!(first["version"]["seen_at"], "2026-11-21T19:37:47.042Z");
}

#[test]
fn collections_are_listed_in_pages() {
    let (_root, harness) = backup_of(json!({}), &[]);
    for id in ["b", "c", "a"] {
        let body = shop("r").replace(ID, id);
        assert_eq!(harness.deliver(&EventFixture::collection_backup(body)).kind, OutcomeKind::Delivered);
    }
    let (mut keys, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({ "limit": 2 });
        if !after.is_null() {
            input["after"] = after;
        }
        let page = harness.act("collections", &input).unwrap();
        let found = page["collections"].as_array().unwrap();
        keys.push(found.iter().map(|it| it["collection"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        match page.get("next") {
            Some(next) => after = next.clone(),
            None => break,
        }
    }
    assert_eq!(keys, [vec!["a", "b"], vec!["c"]]);
}

#[test]
fn a_version_is_shown_whole_or_in_parts() {
    let (_root, harness) = backup_of(json!({}), &["a", "b"]);
    let newest = harness.act("show", &json!({ "collection": ID })).unwrap();
    assert_eq!(newest["body"], shop("b"));
    let mut whole = Vec::new();
    let mut next = json!(0);
    while !next.is_null() {
        let part = harness.act("show", &json!({ "collection": ID, "offset": next, "length": 10 })).unwrap();
        assert!(part.get("body").is_none());
        whole.extend(BASE64_STANDARD.decode(part["part"]["base64"].as_str().unwrap()).unwrap());
        next = part["part"]["next"].clone();
    }
    assert_eq!(whole, shop("b").as_bytes());
    let beyond = harness.act("show", &json!({ "collection": ID, "offset": 1_000_000 })).unwrap();
    assert_eq!(beyond["part"]["base64"], "");
    for unknown in [json!({ "collection": "7" }), json!({ "collection": ID, "version": "x" })] {
        assert!(matches!(harness.act("show", &unknown), Err(ActionError::NotFound(_))), "{unknown}");
    }
}

#[test]
fn two_versions_are_compared() {
    let (_root, harness) = backup_of(json!({}), &["a", "b", "c"]);
    let all = ids(&harness);
    let newest = harness.act("diff", &json!({ "collection": ID })).unwrap();
    assert_eq!((&newest["before"]["id"], &newest["after"]["id"]), (&json!(all[1]), &json!(all[0])));
    assert!(!newest["changes"].as_array().unwrap().is_empty());
    let same = json!({ "collection": ID, "before": all[2], "after": all[2] });
    assert_eq!(harness.act("diff", &same).unwrap()["changes"], json!([]));
    let none = harness.act("diff", &json!({ "collection": ID, "after": all[2] }));
    assert!(matches!(none, Err(ActionError::NotFound(_))), "{none:?}");
}

#[test]
fn damage_is_found_told_and_repaired_from_a_copy() {
    let (root, harness) = backup_of(json!({}), &["a", "b"]);
    let all = ids(&harness);
    let sound = harness.act("verify", &json!({})).unwrap();
    assert_eq!((&sound["ok"], &sound["versions"]), (&json!(true), &json!(2)));

    let file = file_of(root.path(), &harness, &all[1]);
    fs::write(&file, b"rust").unwrap();
    let found = harness.act("verify", &json!({ "collection": ID })).unwrap();
    assert_eq!((&found["ok"], &found["damages"]), (&json!(false), &json!(1)));
    assert_eq!(found["damaged"][0]["version"], all[1]);
    let told: Vec<_> = harness.emitted().into_iter().filter(|event| event.kind == "backup_damaged").collect();
    let body: Value = serde_json::from_slice(&told[0].body).unwrap();
    assert_eq!((&body["damages"], &body["collection"]["name"]), (&json!(1), &json!("Shop")));
    let shown = harness.act("show", &json!({ "collection": ID, "version": all[1] }));
    assert!(matches!(shown, Err(ActionError::Conflict(_))), "{shown:?}");

    let whole = shop("a");
    let repair = |offset: usize, part: &str| {
        let base64 = BASE64_STANDARD.encode(part);
        harness.act(
            "repair",
            &json!({ "collection": ID, "version": all[1], "offset": offset, "base64": base64 }),
        )
    };
    assert!(matches!(repair(0, &shop("x")), Err(ActionError::Conflict(_))));
    assert!(matches!(repair(5, "x"), Err(ActionError::Input(_))));
    assert_eq!(repair(0, &whole[..7]).unwrap()["next"], 7);
    assert_eq!(repair(7, &whole[7..]).unwrap()["repaired"], true);
    assert_eq!(harness.act("verify", &json!({})).unwrap()["ok"], true);
    let shown = harness.act("show", &json!({ "collection": ID, "version": all[1] })).unwrap();
    assert_eq!(shown["body"], whole);
    assert_eq!(repair(0, &whole).unwrap()["repaired"], false);
}

#[test]
fn prune_tells_what_goes_and_why_the_rest_stays() {
    let (_root, harness) = backup_of(json!({}), &["a", "b", "c"]);
    let refused = harness.act("prune", &json!({}));
    let remedy = "`config = { retention = { last = 20, monthly = 12 } }`";
    assert!(matches!(&refused, Err(ActionError::Conflict(why)) if why.contains(remedy)), "{refused:?}");
    let other = json!({ "retention": { "last": 1 } });
    assert!(matches!(harness.act("prune", &other), Err(ActionError::Input(_))));
    let tried = harness.act("prune", &json!({ "retention": { "last": 1 }, "dry_run": true })).unwrap();
    assert_eq!((&tried["gone"], &tried["kept"], &tried["dry_run"]), (&json!(2), &json!(1), &json!(true)));
    assert_eq!(tried["versions"][2]["kept_by"], json!(["newest", "last"]));
    assert_eq!(ids(&harness).len(), 3);

    let (_root, harness) = backup_of(json!({ "retention": { "min_age": "1h" } }), &["a", "b", "c"]);
    harness.advance(Duration::from_secs(3600));
    let pruned = harness.act("prune", &json!({ "collection": ID })).unwrap();
    assert_eq!((&pruned["gone"], &pruned["kept"]), (&json!(2), &json!(1)));
    assert_eq!(ids(&harness).len(), 1);
}

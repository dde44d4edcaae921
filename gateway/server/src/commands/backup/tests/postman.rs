//! A version back to Postman.

use super::*;

const UID: &str = "12345-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";

fn answer(state: &str, more: Value) -> (u16, Value) {
    let mut answer = json!({
        "collection": SHOP, "version": second(), "state": state, "name": "Shop", "bytes": 1_500_000,
        "keeps_ids": true, "notes": [],
    });
    answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    done(answer)
}

fn to_postman(answers: Vec<(u16, Value)>, args: &[&str], person: Option<&str>) -> Ran {
    let answers = [vec![found(), versions_of(&[second()], 2)], answers].concat();
    answered(answers, &[&["restore", SHOP, "--destination", "d"], args].concat(), person)
}

#[test]
fn a_new_collection_is_made_without_a_question() {
    let made = || answer("done", json!({ "uid": UID, "notes": ["its\nids are new"] }));
    let args = ["--new", "--workspace", "1f0df51a", "--name", "Shop again"];
    let ran = to_postman(vec![made()], &args, None);
    let input = json!({
        "collection": SHOP, "dry_run": false, "name": "Shop again", "over": false, "version": SECOND,
        "workspace": "1f0df51a",
    });
    check_act(&ran.asked[2], "restore", &input);
    assert_eq!(ran.talk, "note: its ids are new\n");
    insta::assert_snapshot!(ran.data(), @r#"
Shop is in Postman as it was in version 2026-11-21T19-36-47.042Z-2233aabbccdd: 12345-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6
"#);
    let json = to_postman(vec![made()], &["--json"], None).data();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), made().1["output"]);
}

#[test]
fn what_is_in_postman_is_replaced_only_by_who_wants_it() {
    let ran = at_d(vec![], &["restore", SHOP, "--over"]);
    assert_eq!((ran.asked.len(), ran.exit()), (0, Exit::Usage));

    let difference = json!({
        "summary": "1 request removed", "changes": [{}], "changes_left_out": 0, "text": "- request Pay\n", "markdown": "",
    });
    let planned = || answer("dry_run", json!({ "uid": UID, "difference": difference }));
    let refused = to_postman(vec![planned()], &["--over"], Some("no\n"));
    assert!(refused.asked[2].contains("\"dry_run\":true") && refused.asked[2].contains("\"over\":true"));
    assert!(refused.data.contains("- request Pay\n"), "{}", refused.data);
    assert!(refused.talk.contains(&format!("Replace Shop ({UID}) in Postman by version {SECOND}? [y/N] ")));
    assert_eq!((refused.asked.len(), refused.exit()), (3, Exit::Failed));

    let done = vec![planned(), answer("done", json!({ "uid": UID }))];
    let ran = to_postman(done, &["--over", "--target", UID], Some("y\n"));
    assert!(
        ran.asked[3].contains("\"dry_run\":false") && ran.asked[3].contains(&format!("\"target\":\"{UID}\""))
    );
    insta::assert_snapshot!(ran.data(), @r#"
- request Pay
version 2026-11-21T19-36-47.042Z-2233aabbccdd would replace Shop: 12345-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6
Shop is in Postman as it was in version 2026-11-21T19-36-47.042Z-2233aabbccdd: 12345-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6
"#);
    let sure = to_postman(vec![answer("done", json!({ "uid": UID }))], &["--over", "--yes"], None);
    assert_eq!(sure.asked.len(), 3);
    sure.ended.unwrap();
}

#[test]
fn a_dry_run_writes_nothing_and_tells_what_would_change() {
    let same = json!({ "summary": "", "changes": [], "changes_left_out": 0, "text": "", "markdown": "" });
    let planned = answer("dry_run", json!({ "uid": UID, "difference": same }));
    insta::assert_snapshot!(to_postman(vec![planned], &["--over", "--dry-run"], None).data(), @r#"
no changes
version 2026-11-21T19-36-47.042Z-2233aabbccdd would replace Shop: 12345-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6
"#);
    let new = to_postman(vec![answer("dry_run", json!({}))], &["--dry-run"], None);
    assert!(new.asked[2].contains("\"dry_run\":true"));
    assert_eq!(new.data(), format!("version {SECOND} would become a new collection Shop, 1.5 MiB\n"));
}

#[test]
fn what_postman_has_not_finished_is_not_done() {
    let ran = to_postman(vec![answer("running", json!({ "uid": UID, "task": "66ae" }))], &[], None);
    let said = format!("Postman has version {SECOND} of Shop and is still at work: {UID}, task 66ae\n");
    assert_eq!(ran.data, said);
    assert_eq!(ran.exit(), Exit::Failed);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let refused =
        |args: &[&str]| Cli::try_parse_from(["backup", "restore", SHOP].iter().chain(args)).is_err();
    for with in ["--new", "--over", "--dry-run", "--yes", "--workspace=1", "--name=x", "--target=1"] {
        assert!(refused(&["--to", "file", with]), "{with}");
    }
    assert!(refused(&["--force"]) && refused(&["--new", "--over"]) && refused(&["--target", "1"]));
    assert!(refused(&["--over", "--workspace", "1"]) && refused(&["--over", "--dry-run", "--yes"]));
    assert!(!refused(&["--over", "--target", "1", "--name", "x", "--dry-run"]));
}

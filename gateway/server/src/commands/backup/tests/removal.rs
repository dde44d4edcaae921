//! Verify and prune, which go over all collections.

use std::slice::from_ref;

use super::*;

fn verified(versions: u64, damaged: &[Value]) -> (u16, Value) {
    done(json!({
        "ok": damaged.is_empty(), "collections": 1, "versions": versions, "bytes": versions * 1000,
        "not_decrypted": 0, "damaged": damaged, "damages": damaged.len(),
    }))
}

fn two() -> (u16, Value) {
    collections(&[(SHOP, "Shop"), ("77aa", "Orders")])
}

#[test]
fn every_collection_is_verified_and_damage_is_an_exit_code() {
    let sound = at_d(vec![two(), verified(2, &[]), verified(1, &[])], &["verify"]);
    let input = |key: &str| {
        format!("POST /api/v1/destinations/d/actions/verify?timeout=3600 {{\"collection\":\"{key}\"}}")
    };
    assert_eq!(sound.asked[1..], [input(SHOP), input("77aa")]);
    assert_eq!(sound.data(), "no damage in 3 versions of 2 collections, 3.0 KiB read\n");

    let damage = json!({ "collection": SHOP, "version": FIRST, "file": "objects/a.zst", "what": "its\nhash is another" });
    let lost = json!({ "collection": "77aa", "version": null, "file": null, "what": "version x is missing" });
    let answers = || vec![two(), verified(2, from_ref(&damage)), verified(0, from_ref(&lost))];
    let damaged = at_d(answers(), &["verify"]);
    insta::assert_snapshot!(damaged.data, @r#"
COLLECTION                            VERSION                                DAMAGE                FILE
c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6  2026-11-20T08-00-00.000Z-0011aabbccdd  its hash is another   objects/a.zst
77aa                                  -                                      version x is missing  -
2 damages in 2 versions of 2 collections, 2.0 KiB read
"#);
    assert_eq!(damaged.exit(), Exit::Failed);
    let json = at_d(answers(), &["verify", "--json"]);
    let sum: Value = serde_json::from_str(&json.data).unwrap();
    assert_eq!((&sum["ok"], &sum["damages"], &sum["versions"]), (&json!(false), &json!(2), &json!(2)));
    assert_eq!(sum["damaged"], json!([damage, lost]));
    assert_eq!(json.exit(), Exit::Failed);
}

#[test]
fn one_collection_is_verified_by_its_name() {
    let one = at_d(vec![not_there(), two(), verified(1, &[])], &["verify", "orders"]);
    assert!(one.asked[2].ends_with("{\"collection\":\"77aa\"}"), "{:?}", one.asked);
    assert_eq!(one.data(), "no damage in 1 version of 1 collection, 1000 B read\n");
    let none = at_d(vec![collections(&[])], &["verify", "--json"]).data();
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["ok"], true);
}

#[test]
fn it_is_said_where_the_work_stopped() {
    let away = (503, json!({ "code": "unavailable", "detail": "the storage is away" }));
    let at_once = at_d(vec![two(), away.clone()], &["verify"]);
    assert_eq!(at_once.talk, "", "nothing was done before");
    let ran = at_d(vec![two(), verified(2, &[]), away], &["verify"]);
    assert_eq!(ran.talk, "stopped at collection 2 of 2: Orders\n");
    assert_eq!(ran.exit(), Exit::Failed);
}

fn pruned(dry_run: bool, key: &str, gone: &[&str], bodies: u64) -> (u16, Value) {
    let fate = |id: &str, kept_by: Value| json!({ "collection": key, "version": id, "kept_by": kept_by });
    let mut versions: Vec<_> = gone.iter().map(|id| fate(id, json!([]))).collect();
    versions.push(fate(SECOND, json!(["newest", "min_age"])));
    done(json!({
        "dry_run": dry_run, "versions": versions, "gone": gone.len(), "kept": 1, "bodies": bodies,
        "freed_bytes": bodies * 2048,
    }))
}

#[test]
fn a_dry_run_tells_what_would_go_and_why_the_rest_stays() {
    let answers = || vec![two(), pruned(true, SHOP, &[FIRST], 1), pruned(true, "77aa", &[], 0)];
    let dry = at_d(answers(), &["prune", "--dry-run"]);
    check_act(&dry.asked[1], "prune", &json!({ "collection": SHOP, "dry_run": true }));
    insta::assert_snapshot!(dry.data(), @r#"
COLLECTION  VERSION                                FATE
Shop        2026-11-20T08-00-00.000Z-0011aabbccdd  goes
Shop        2026-11-21T19-36-47.042Z-2233aabbccdd  stays: newest, min age
Orders      2026-11-21T19-36-47.042Z-2233aabbccdd  stays: newest, min age
1 version would be removed, 2 stay; 1 body would be deleted, 2.0 KiB
"#);
    let json = at_d(answers(), &["prune", "--dry-run", "--json"]).data();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["gone"], &json["kept"], &json["dry_run"]), (&json!(1), &json!(2), &json!(true)));
}

#[test]
fn nobody_prunes_by_a_slip_of_the_finger() {
    let ran = at_d(vec![], &["prune"]);
    assert!(format!("{:?}", ran.ended).contains("--yes"), "{:?}", ran.ended);
    assert_eq!((ran.asked.len(), ran.exit()), (0, Exit::Usage));
    let sure = at_d(vec![found(), pruned(false, SHOP, &[FIRST], 0)], &["prune", SHOP, "--yes"]);
    check_act(&sure.asked[1], "prune", &json!({ "collection": SHOP, "dry_run": false }));
    assert_eq!(sure.data(), "1 version was removed, 1 stays\n");
}

#[test]
fn somebody_at_a_terminal_sees_what_goes_and_is_asked() {
    let args = ["prune", SHOP, "--destination", "d"];
    let plan = || vec![found(), pruned(true, SHOP, &[FIRST], 2)];
    let refused = answered(plan(), &args, Some("\n"));
    assert!(refused.talk.contains("Remove 1 version of 1 collection? [y/N] "), "{}", refused.talk);
    assert!(refused.data.contains(FIRST) && !refused.data.contains(SECOND), "{}", refused.data);
    assert_eq!((refused.asked.len(), refused.exit()), (2, Exit::Failed));

    let done = [plan(), vec![pruned(false, SHOP, &[FIRST], 2)]].concat();
    let ran = answered(done, &args, Some("y\n"));
    assert!(ran.asked[2].contains("\"dry_run\":false"), "{:?}", ran.asked);
    assert!(ran.data().ends_with("\n1 version was removed, 1 stays; 2 bodies were deleted, 4.0 KiB\n"));

    let bodies = answered(vec![found(), pruned(true, SHOP, &[], 1)], &args, Some("n\n"));
    assert!(bodies.talk.contains("Delete 1 body that no version needs, 2.0 KiB? [y/N] "), "{}", bodies.talk);
    assert_eq!(bodies.exit(), Exit::Failed);
    // What removes nothing need not be asked.
    let nothing = vec![found(), pruned(true, SHOP, &[], 0), pruned(false, SHOP, &[], 0)];
    assert_eq!(answered(nothing, &args, Some("")).data(), "0 versions were removed, 1 stays\n");
}

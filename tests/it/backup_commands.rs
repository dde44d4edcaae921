//! `postroom backup`: what is backed up is looked at and brought back, as a person types it.

use std::fs;

use postroom_tests::harness::{Config, Finished, TestGateway, body};
use serde_json::{Value, json};

use crate::{
    backup::files,
    support::{program, start},
};

const SHOP: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";

/// A gateway whose destination `backups` has these settings beside its root.
async fn gateway(settings: &str) -> TestGateway {
    let settings = format!("config = {{ root = \"copies\"{settings} }}");
    let route = "kinds = [\"collection_backup\"]";
    start(Config::new().destination("backups", "backup", &settings).route("backups", route, "backups")).await
}

/// The collection `Shop` with these requests.
fn shop(requests: &[&str]) -> String {
    let items: Vec<_> =
        requests.iter().map(|name| json!({ "name": name, "request": { "method": "GET" } })).collect();
    json!({ "info": { "_postman_id": SHOP, "name": "Shop Größe" }, "item": items }).to_string()
}

/// Has each of the bodies backed up, one after the other.
async fn back_up(gateway: &TestGateway, collections: &[&str]) {
    for collection in collections {
        let event = gateway.accept(format!("{{\"collection\":{collection}}}")).await;
        gateway.delivery_in_state(&event, "backups", "delivered").await;
    }
}

/// Runs the command as a script does; gives what it printed.
async fn postroom(gateway: &TestGateway, args: &[&str], code: i32) -> Finished {
    let (url, key) = (gateway.client().url(""), gateway.config().api_key());
    let args = ["backup"].iter().chain(args).copied().chain(["--server", &url, "--key", key]);
    let finished = program().run(gateway.folder(), args).await;
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    assert!(!finished.stdout.contains(key) && !finished.stderr.contains(key), "{finished:#?}");
    assert!(!finished.stderr.contains('\u{1b}'), "a pipe gets no progress: {finished:#?}");
    finished
}

async fn json_of(gateway: &TestGateway, args: &[&str]) -> Value {
    let finished = postroom(gateway, &[args, &["--json"]].concat(), 0).await;
    serde_json::from_str(&finished.stdout).unwrap()
}

#[tokio::test]
async fn what_is_backed_up_is_listed_compared_and_brought_back() {
    let gateway = gateway("").await;
    let (first, second) = (shop(&["Login"]), shop(&["Login", "Pay"]));
    back_up(&gateway, &[&first, &second]).await;

    let table = postroom(&gateway, &["collections"], 0).await.stdout;
    assert!(
        table.starts_with("NAME ") && table.contains("Shop Größe  2 ") && table.contains(SHOP),
        "{table}"
    );
    let versions = json_of(&gateway, &["versions", "größe"]).await;
    assert_eq!((&versions["collection"], &versions["total"]), (&json!(SHOP), &json!(2)));
    let ids: Vec<_> =
        versions["versions"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    let shown = postroom(&gateway, &["show", "shop", "--version", ids[1]], 0).await.stdout;
    assert!(shown.contains(ids[1]) && shown.contains("content     1 request\n"), "{shown}");
    assert_eq!(json_of(&gateway, &["show", "shop"]).await["body"], second);

    let text = postroom(&gateway, &["diff", "shop", ids[1], ids[0]], 0).await.stdout;
    assert!(text.contains("+ request Pay"), "{text}");
    let diff = json_of(&gateway, &["diff", "shop"]).await;
    assert_eq!((&diff["before"]["id"], &diff["after"]["id"]), (&json!(ids[1]), &json!(ids[0])));
    let markdown = postroom(&gateway, &["diff", "shop", "--format", "markdown"], 0).await.stdout;
    assert!(markdown.contains("Pay") && markdown != text, "{markdown}");

    let file = gateway.folder().join("shop.json");
    let restore = ["restore", SHOP, "--version", ids[1], "--to", "shop.json"];
    postroom(&gateway, &restore, 0).await;
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
    postroom(&gateway, &restore, 1).await;
    postroom(&gateway, &["restore", "shop", "--to", "shop.json", "--force"], 0).await;
    assert_eq!(fs::read_to_string(&file).unwrap(), second);
    assert_eq!(postroom(&gateway, &["restore", "shop", "--to", "-"], 0).await.stdout, second);

    for missing in [&["versions", "payments"][..], &["show", "shop", "--version", "1999"]] {
        postroom(&gateway, missing, 5).await;
    }
}

#[tokio::test]
async fn a_large_collection_comes_back_in_parts_byte_for_byte() {
    let gateway = gateway("").await;
    // More than fits into one answer of an action, and no size that any part is a divisor of.
    let large = shop(&["ü".repeat(4 * 1024 * 1024 + 7).as_str()]);
    back_up(&gateway, &[&large]).await;
    postroom(&gateway, &["restore", SHOP, "--to", "large.json"], 0).await;
    assert!(fs::read_to_string(gateway.folder().join("large.json")).unwrap() == large);
}

#[tokio::test]
async fn damage_is_an_exit_code_and_leaves_no_file() {
    let gateway = gateway("").await;
    back_up(&gateway, &[&shop(&["Login"]), &body_of("77aa", "Orders")]).await;
    let sound = postroom(&gateway, &["verify"], 0).await.stdout;
    assert!(sound.starts_with("no damage in 2 versions of 2 collections"), "{sound}");

    let object = files(&gateway.folder().join("copies").join("collections").join(SHOP).join("objects"));
    fs::write(&object[0], "rust").unwrap();
    let damaged = postroom(&gateway, &["verify"], 1).await.stdout;
    assert!(damaged.contains("1 damage in ") && damaged.contains(SHOP), "{damaged}");
    postroom(&gateway, &["verify", "orders"], 0).await;
    postroom(&gateway, &["restore", "shop", "--to", "shop.json"], 1).await;
    assert!(!gateway.folder().join("shop.json").exists());
}

/// A collection without requests, as Postman's webhook has it.
fn body_of(id: &str, name: &str) -> String {
    let body: Value = serde_json::from_str(&body::collection_backup(id, name)).unwrap();
    body["collection"].to_string()
}

#[tokio::test]
async fn what_the_retention_does_not_keep_goes_when_somebody_says_yes() {
    // Kept for as long as the test takes by `min_age`, so that nothing goes by itself.
    let gateway = gateway(", retention = { last = 1, min_age = \"1h\" }").await;
    back_up(&gateway, &[&shop(&["a"]), &shop(&["b"]), &shop(&["c"])]).await;
    let refused = postroom(&gateway, &["prune"], 2).await;
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    let dry = postroom(&gateway, &["prune", "--dry-run"], 0).await.stdout;
    assert!(dry.contains("stays: newest, last") && dry.contains("stays: min age"), "{dry}");
    assert!(dry.ends_with("0 versions would be removed, 3 stay\n"), "{dry}");
    let done = json_of(&gateway, &["prune", "shop", "--yes"]).await;
    assert_eq!((&done["gone"], &done["kept"]), (&json!(0), &json!(3)));
}

#[tokio::test]
async fn where_several_destinations_keep_backups_one_must_be_named() {
    let settings = |root: &str| format!("config = {{ root = \"{root}\" }}");
    let config = Config::new()
        .destination("here", "backup", &settings("here"))
        .destination("there", "backup", &settings("there"))
        .route("backups", "kinds = [\"collection_backup\"]", "there");
    let gateway = start(config).await;
    let event = gateway.accept(format!("{{\"collection\":{}}}", shop(&["a"]))).await;
    gateway.delivery_in_state(&event, "there", "delivered").await;
    let refused = postroom(&gateway, &["collections"], 2).await;
    assert!(refused.stderr.contains("here") && refused.stderr.contains("there"), "{}", refused.stderr);
    let there = json_of(&gateway, &["collections", "--destination", "there"]).await;
    assert_eq!(there["collections"][0]["collection"], SHOP);
    let here = postroom(&gateway, &["collections", "--destination", "here"], 0).await;
    assert_eq!((here.stdout.as_str(), here.stderr.as_str()), ("", "there is no backup yet\n"));
    postroom(&gateway, &["collections", "--destination", "nowhere"], 5).await;
}

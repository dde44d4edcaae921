use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Asks, FolderAsk, Place};
use crate::sandbox::{Access, Network};

fn read(asks: Value) -> Result<Asks, String> {
    let Value::Object(asks) = asks else { panic!("{asks}") };
    Asks::read(&asks).map_err(|error| error.to_string())
}

#[track_caller]
fn check_refused(asks: Value, key: &str) {
    let refused = read(asks).unwrap_err();
    assert!(refused.starts_with(&format!("the manifest's \"{key}\" is not")), "{refused}");
}

#[test]
fn who_says_nothing_asks_for_nothing() {
    let nothing = Asks { network: Network::none(), folders: vec![], memory_bytes: None, threads: None };
    assert_eq!(read(json!({})), Ok(nothing.clone()));
    assert_eq!(read(json!({ "network": "none", "filesystem": [], "limits": {} })), Ok(nothing));
}

#[test]
fn hosts_are_read_for_their_ports() {
    let network = |network| read(json!({ "network": network })).unwrap().network;
    let asked = network(json!(["a.example:443", "[::1]:8443", "*:443"]));
    assert_eq!(asked, Network::Ports(BTreeSet::from([443, 8443])));
    assert_eq!(network(json!(["a.example:*"])), Network::Any);
    for wrong in [
        json!("all"),
        json!(["a.example"]),
        json!([":443"]),
        json!(["a:0"]),
        json!(["a:65536"]),
        json!([443]),
    ] {
        check_refused(json!({ "network": wrong }), "network");
    }
}

#[test]
fn folders_are_named_by_a_setting_or_by_their_path() {
    let asks = read(json!({ "filesystem": [
        { "path": "{config.archive.root}", "access": "write" },
        { "path": "/usr/share/fonts/", "access": "read" },
        { "path": "/var/log/x.log", "access": "write", "file": true },
    ] }));
    let folder = |place, access| FolderAsk { place, access, file: false };
    let setting = Place::Setting(vec!["archive".to_owned(), "root".to_owned()]);
    assert_eq!(
        asks.unwrap().folders,
        [
            folder(setting, Access::Write),
            folder(Place::Path("/usr/share/fonts".into()), Access::Read),
            FolderAsk { file: true, ..folder(Place::Path("/var/log/x.log".into()), Access::Write) },
        ]
    );
    for wrong in [
        json!("none"),
        json!([{ "path": "/data" }]),
        json!([{ "path": "/data", "access": "all" }]),
        json!([{ "path": "/data", "access": "read", "file": "yes" }]),
        json!([{ "path": "data", "access": "read" }]),
        json!([{ "path": "{config.}", "access": "read" }]),
        json!(["/data"]),
    ] {
        check_refused(json!({ "filesystem": wrong }), "filesystem");
    }
}

#[test]
fn limits_are_whole_numbers_above_zero() {
    let asks = read(json!({ "limits": { "memory_mb": 64, "threads": 4, "later": true } })).unwrap();
    assert_eq!((asks.memory_bytes, asks.threads), (Some(64 << 20), Some(4)));
    for wrong in
        [json!([]), json!({ "memory_mb": 0 }), json!({ "threads": "4" }), json!({ "threads": 1_u64 << 33 })]
    {
        check_refused(json!({ "limits": wrong }), "limits");
    }
}

#[test]
fn a_setting_that_names_no_place_asks_for_nothing() {
    let asks = read(json!({ "filesystem": [{ "path": "{config.root}", "access": "write" }] })).unwrap();
    let folders = |config: Value| asks.with(&config).by_settings.len();
    assert_eq!(folders(json!({ "root": "/data" })), 1);
    for config in
        [json!({}), json!({ "root": 5 }), json!({ "root": "data" }), json!({ "root": { "$secret": "root" } })]
    {
        assert_eq!(folders(config.clone()), 0, "{config}");
    }
}

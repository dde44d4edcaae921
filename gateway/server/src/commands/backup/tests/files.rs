//! A version into a file.

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

use super::*;

const BODY: &[u8] = b"{ \"info\":\t{\"name\": \"Gr\xc3\xb6\xc3\x9fe\"} }\r\n";

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The version of [`BODY`].
fn kept() -> Value {
    let mut kept = second();
    (kept["bytes"], kept["sha256"]) = (json!(BODY.len()), json!(hex(BODY)));
    kept
}

fn part(offset: usize, data: &[u8], next: Option<usize>) -> (u16, Value) {
    let mut part = json!({ "offset": offset, "base64": BASE64_STANDARD.encode(data) });
    if let Some(next) = next {
        part["next"] = json!(next);
    }
    done(json!({ "collection": SHOP, "version": kept(), "part": part }))
}

/// Restores into a file, with these parts.
fn restored(file: &Path, parts: Vec<(u16, Value)>, more: &[&str]) -> Ran {
    let answers = [vec![found(), versions_of(&[kept()], 2)], parts].concat();
    let args = ["restore", SHOP, "--to", file.to_str().unwrap()];
    at_d(answers, &[&args, more].concat())
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_version_comes_in_parts_and_is_byte_for_byte_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.json");
    let parts = || vec![part(0, &BODY[..7], Some(7)), part(7, &BODY[7..], None)];
    let ran = restored(&file, parts(), &[]);
    for (asked, offset) in ran.asked[2..].iter().zip([0, 7]) {
        let input = json!({ "collection": SHOP, "offset": offset, "version": SECOND });
        check_act(asked, "show", &input);
    }
    let said = ran.data().replace(folder.path().to_str().unwrap(), "FOLDER");
    insta::assert_snapshot!(said, @r#"
wrote version 2026-11-21T19-36-47.042Z-2233aabbccdd of Shop [2J to FOLDER/shop.json, 33 B
"#);
    assert_eq!(fs::read(&file).unwrap(), BODY);
    assert_eq!(names(folder.path()), ["shop.json"]);

    fs::write(&file, "mine").unwrap();
    let ran = restored(&file, vec![], &[]);
    assert!(format!("{:?}", ran.ended).contains("--force"), "{:?}", ran.ended);
    assert_eq!(ran.exit(), Exit::Failed);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let json = restored(&file, parts(), &["--force", "--json"]).data();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["file"], &json["version"]["id"]), (&json!(file), &json!(SECOND)));
    assert_eq!(fs::read(&file).unwrap(), BODY);
}

#[test]
fn standard_output_gets_the_version_and_nothing_else() {
    let parts = || vec![part(0, BODY, None)];
    assert_eq!(restored(Path::new("-"), parts(), &[]).data().as_bytes(), BODY);
    assert_eq!(restored(Path::new("-"), vec![], &["--json"]).exit(), Exit::Usage);
    let changed = BODY.to_ascii_uppercase();
    let ran = restored(Path::new("-"), vec![part(0, &changed, None)], &[]);
    assert_eq!(ran.data, "", "not even the beginning");
    assert_eq!(ran.exit(), Exit::Failed);
}

#[test]
fn what_is_not_whole_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.json");
    let other = BODY.to_ascii_uppercase();
    let damaged = (409, json!({ "code": "conflict", "detail": "damaged" }));
    for (what, parts) in [
        ("another body", vec![part(0, &other, None)]),
        ("too short", vec![part(0, &BODY[..7], None)]),
        ("too long", vec![part(0, &[BODY, BODY].concat(), None)]),
        ("a part again", vec![part(0, &BODY[..7], Some(7)), part(0, &BODY[..7], Some(7))]),
        ("a gap", vec![part(0, &BODY[..7], Some(9))]),
        ("nothing for ever", vec![part(0, b"", Some(0))]),
        ("more than there is", vec![part(0, BODY, Some(BODY.len()))]),
        ("no part", vec![done(json!({ "body": "{}" }))]),
        ("no base64", vec![done(json!({ "part": { "offset": 0, "base64": "?" } }))]),
        ("an end in the middle", vec![part(0, &BODY[..7], Some(7)), damaged]),
    ] {
        let ran = restored(&file, parts, &[]);
        assert_eq!(ran.exit(), Exit::Failed, "{what}");
        assert!(names(folder.path()).is_empty(), "{what}");
    }
    let nowhere = folder.path().join("none").join("shop.json");
    assert_eq!(restored(&nowhere, vec![], &[]).exit(), Exit::Failed);
}

#[test]
fn who_looks_sees_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.json");
    let answers =
        vec![found(), versions_of(&[kept()], 2), part(0, &BODY[..7], Some(7)), part(7, &BODY[7..], None)];
    let args = ["restore", SHOP, "--destination", "d", "--to", file.to_str().unwrap()];
    let ran = answered(answers, &args, Some(""));
    ran.ended.unwrap();
    assert!(ran.talk.contains(&format!("Shop [2J: 7 B of {} B", BODY.len())), "{:?}", ran.talk);
    assert!(ran.talk.ends_with("\r\x1b[K"), "nothing of it is left: {:?}", ran.talk);
}

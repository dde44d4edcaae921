use sha2::{Digest, Sha256};

use super::{Counts, Format, Summary, scan};
use crate::testing::{BACKUP, BYTE_ORDER_MARK, NO_INFO, V1, WRAPPED, corpus};

fn summary(bytes: &[u8]) -> Summary {
    scan(bytes).unwrap().summary
}

#[track_caller]
fn check(bytes: &[u8], id: Option<&str>, owner: Option<&str>, name: &str, format: Format, counts: [u32; 5]) {
    let [folders, requests, examples, scripts, variables] = counts;
    let expected = Summary {
        id: id.map(str::to_owned),
        owner: owner.map(str::to_owned),
        name: Some(name.to_owned()),
        format,
        counts: Counts { folders, requests, examples, scripts, variables },
    };
    assert_eq!(summary(bytes), expected);
}

#[test]
fn every_shape_is_read() {
    let id = Some("c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6");
    check(BACKUP, id, None, "Checkout", Format::V2_0, [3, 4, 1, 2, 2]);
    let id = Some("29e5e2f4-1df6-4d0c-9e5c-1d1a0a9d9d0f");
    check(WRAPPED, id, Some("5590281"), "Shop", Format::V2_1, [0, 1, 0, 1, 1]);
    let id = Some("e5f2e9cf-173b-c60a-7336-ac804a87d762");
    check(V1, id, None, "Old times", Format::V1, [2, 3, 1, 2, 0]);
    check(NO_INFO, None, None, "Inherited Entities", Format::Unknown, [1, 1, 0, 1, 1]);
    let id = Some("0ee59611-00fa-494e-ae21-6787e3ac5b1d");
    check(BYTE_ORDER_MARK, id, None, "Saved by an old editor", Format::Unknown, [0, 1, 0, 0, 0]);
}

#[track_caller]
fn check_id(json: &str, id: Option<&str>, owner: Option<&str>) {
    let summary = summary(json.as_bytes());
    assert_eq!((summary.id.as_deref(), summary.owner.as_deref()), (id, owner), "{json}");
}

#[test]
fn the_id_is_without_its_owner() {
    const UUID: &str = "12345678-1df6-4d0c-9e5c-1d1a0a9d9d0f";
    check_id(&format!(r#"{{"info": {{"_postman_id": "{UUID}"}}}}"#), Some(UUID), None);
    check_id(&format!(r#"{{"info": {{"uid": "77-{UUID}"}}}}"#), Some(UUID), Some("77"));
    check_id(&format!(r#"{{"info": {{"_postman_id": "a", "uid": "77-{UUID}"}}}}"#), Some("a"), Some("77"));
    check_id(r#"{"info": {"uid": "77-b"}}"#, Some("77-b"), None);
    check_id(r#"{"info": {"_postman_id": "", "id": "c"}, "id": "d"}"#, Some("c"), None);
    check_id(r#"{"info": {"_postman_id": 7}, "id": "d"}"#, Some("d"), None);
    check_id(r#"{"item": []}"#, None, None);
}

#[test]
fn the_exact_hash_is_of_the_bytes() {
    for (name, bytes) in corpus() {
        let expected: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(scan(&bytes).unwrap().exact, expected, "{name}");
    }
}

#[test]
fn formats_have_one_name() {
    for format in [Format::V1, Format::V2_0, Format::V2_1, Format::Unknown] {
        assert_eq!(serde_json::to_value(format).unwrap(), format.to_string());
    }
}

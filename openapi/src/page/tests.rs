use serde_json::json;

use super::{CURSOR_BYTES_MAX, LIMIT_DEFAULT, LIMIT_MAX, List, PageRequest};
use crate::document;

const EVENTS: List = List("events");

#[test]
fn a_cursor_brings_its_key_back() {
    for key in ["", "42", "0192f0c1-2b7e-7c3a-9d52-000000000001", "a:b", "ü"] {
        let page = EVENTS.request(7, Some(EVENTS.cursor(key))).unwrap();
        assert_eq!(page, PageRequest { limit: 7, after: Some(key.to_owned()) });
    }
    assert_eq!(EVENTS.request(7, None).unwrap().after, None);
}

#[test]
fn a_cursor_is_plain_in_a_url() {
    let cursor = EVENTS.cursor("0192f0c1-2b7e-7c3a-9d52-000000000001>?");
    assert!(cursor.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{cursor}");
}

#[test]
fn what_is_not_a_cursor_of_this_list_is_refused() {
    let of_another_list = List("deliveries").cursor("42");
    let of_a_longer_name = List("events2").cursor("42");
    let too_long = EVENTS.cursor(&"x".repeat(CURSOR_BYTES_MAX));
    for cursor in ["", "42", "%", "MTpldmVudHM=", &of_another_list, &of_a_longer_name, &too_long] {
        assert!(EVENTS.request(50, Some(cursor.to_owned())).is_err(), "{cursor}");
    }
}

#[test]
fn the_document_has_the_limits_of_every_list() {
    let document = document();
    for list in ["events", "deliveries"] {
        let parameters =
            document["paths"][format!("/api/v1/{list}")]["get"]["parameters"].as_array().unwrap();
        let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
        assert_eq!(
            limit["schema"],
            json!({
                "type": "integer", "format": "int64", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT
            })
        );
    }
}

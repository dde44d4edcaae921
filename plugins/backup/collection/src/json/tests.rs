use super::{DEPTH_MAX, Reader, Unreadable, collection, elements, lossy, members, text, to_value};
use crate::{
    Tree, redact, scan,
    testing::{BACKUP, corpus},
};

#[track_caller]
fn check_read(json: &str) {
    let mut reader = Reader::new(json);
    assert_eq!(reader.skip().unwrap(), json.trim());
    reader.end().unwrap();
    // What passes here is what others take.
    serde_json::from_str::<&serde_json::value::RawValue>(json).unwrap();
}

#[track_caller]
fn check_refused(json: &str) {
    let mut reader = Reader::new(json);
    let read = reader.skip().map(|_| ()).and_then(|()| reader.end());
    assert!(matches!(read, Err(Unreadable::NotJson { .. })), "{json}: {read:?}");
    serde_json::from_str::<&serde_json::value::RawValue>(json).unwrap_err();
}

#[test]
fn json_is_read_and_nothing_else() {
    for json in
        ["{}", "[]", " [ 1 , -0.5e+3 , 1E9 ] ", r#"{"a":{"b":[null,true,false]}}"#, r#""\ud83d \u00e9\\\"""#]
    {
        check_read(json);
    }
    let wrong = [
        "",
        " ",
        "{",
        "[",
        "]",
        "{]",
        "[1",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "nul",
        "True",
        "NaN",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12\"",
        "\"\n\"",
        "\"\u{1}\"",
        "{} {}",
        "[]]",
        "\u{a0}[]",
    ];
    wrong.into_iter().for_each(check_refused);
}

#[test]
fn what_is_too_deep_is_an_error() {
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let deepest = nested(DEPTH_MAX as usize);
    scan(deepest.as_bytes()).unwrap();
    serde_json::from_str::<serde_json::Value>(&deepest).unwrap();
    let deeper = nested(DEPTH_MAX as usize + 1);
    assert!(matches!(scan(deeper.as_bytes()), Err(Unreadable::TooDeep { .. })));
    assert!(matches!(Tree::parse(deeper.as_bytes()), Err(Unreadable::TooDeep { .. })));
    for bomb in ["[", "{\"item\":[", "{\"a\":{\"item\":", "{\"collection\":"] {
        let bomb = format!("{{\"item\":{}", bomb.repeat(1_000_000));
        assert!(matches!(scan(bomb.as_bytes()), Err(Unreadable::TooDeep { .. })));
        assert!(matches!(Tree::parse(bomb.as_bytes()), Err(Unreadable::TooDeep { .. })));
        assert!(redact(bomb.as_bytes()).1.is_empty());
    }
}

#[test]
fn a_collection_is_an_object_in_utf_8() {
    let error = |bytes: &[u8]| scan(bytes).unwrap_err();
    assert_eq!(error(b"[]"), Unreadable::NoObject);
    assert_eq!(error(b"\"collection\""), Unreadable::NoObject);
    assert_eq!(error(b"{\"a\": \"\xff\"}"), Unreadable::NotUtf8 { at: 7 });
    assert!(matches!(error(b""), Unreadable::NotJson { at: 0, .. }));
    assert!(matches!(error(b"{} {}"), Unreadable::NotJson { at: 3, .. }));
    assert!(matches!(error(b"{\"collection\": {}} 1"), Unreadable::NotJson { at: 19, .. }));
    assert!(matches!(error(b"{\"info\": {}, \"item\": [1,]}"), Unreadable::NotJson { at: 24, .. }));
}

#[track_caller]
fn check_unwrapped(json: &str, expected: &str) {
    assert_eq!(collection(json.as_bytes()).unwrap(), expected);
}

#[test]
fn a_wrapped_collection_is_unwrapped() {
    check_unwrapped(r#"{"collection": {"name": 1} }"#, r#"{"name": 1}"#);
    check_unwrapped(r#"{"a": [{}], "collection": {"name": 1}, "b": 2}"#, r#"{"name": 1}"#);
    check_unwrapped(r#"{"collection": {"a": 1}, "collection": {"b": 1}}"#, r#"{"b": 1}"#);
    for whole in [
        r#"{"collection": {}, "info": {}}"#,
        r#"{"info": {}, "collection": {}}"#,
        r#"{"collection": {}, "collection": 1}"#,
        r#"{"collection": []}"#,
        "{}",
    ] {
        check_unwrapped(whole, whole);
    }
}

#[test]
fn of_a_repeated_key_the_last_value_counts() {
    let pairs = |json| -> Vec<(String, String)> {
        let members = members(json).unwrap().into_iter();
        members.map(|member| (member.key.into_owned(), member.value.to_owned())).collect()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(pairs(r#"{"a":1,"b":2}"#), [pair("a", "1"), pair("b", "2")]);
    assert_eq!(pairs(r#"{"a":1,"b":2,"a":3,"\u0061":[4]}"#), [pair("a", "[4]"), pair("b", "2")]);
    assert!(members(r#"{"\ud83d":1}"#).is_none());
    assert!(members("[]").is_none());
    assert_eq!(elements("[1, [2], \"a\"]").unwrap(), ["1", "[2]", "\"a\""]);
    assert!(elements("{}").is_none());
}

#[test]
fn strings_say_what_they_say() {
    assert_eq!(text(r#""a\n\u00e9\ud83d\ude00\/""#).unwrap(), "a\né😀/");
    assert_eq!(text(r#""\ud83d""#), None);
    assert_eq!(text("1"), None);
    assert_eq!(
        lossy(r#""a\ud83d\n\ude00b""#).unwrap(),
        "a\u{fffd}\u{fffd}\u{fffd}\n\u{fffd}\u{fffd}\u{fffd}b"
    );
    assert_eq!(lossy("null"), None);
}

#[test]
fn values_are_those_of_serde_json_as_far_as_it_can_read() {
    let mut read = 0;
    for (name, bytes) in corpus() {
        let value = to_value(&bytes).unwrap();
        if let Ok(expected) = serde_json::from_str::<serde_json::Value>(collection(&bytes).unwrap()) {
            assert_eq!(value, expected, "{name}");
            read += 1;
        }
    }
    assert!(read >= 5);
    let backup = to_value(BACKUP).unwrap().to_string();
    assert!(backup.contains("😀\u{fffd}"), "{backup}");
    assert!(matches!(to_value(b"{\"a\": 1e999}"), Err(Unreadable::NotJson { at: 6, .. })));
    assert_eq!(to_value(b"{\"a\": 1, \"a\": [2]}").unwrap(), serde_json::json!({ "a": [2] }));
}

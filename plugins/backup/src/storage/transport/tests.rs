use super::*;

#[test]
fn a_header_of_dropbox_is_ascii_and_means_the_same() {
    let json = r#"{"path":"/Käse 日本 😀"}"#;
    let ascii = in_ascii(json);
    assert!(ascii.is_ascii());
    assert_eq!(ascii, "{\"path\":\"/K\\u00e4se \\u65e5\\u672c \\ud83d\\ude00\"}");
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&ascii), value(json));
}

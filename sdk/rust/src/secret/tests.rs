use super::{Secret, SecretOrText, SecretRef};

const HINT: &str = "{ env = \"NAME\" }";

#[test]
fn a_reference_names_a_secret() {
    let secret: SecretRef = serde_json::from_str(r#"{"$secret":"destination.pager.token"}"#).unwrap();
    assert_eq!(secret.name(), "destination.pager.token");
}

#[test]
fn anything_but_a_reference_is_refused_without_being_shown() {
    for json in [
        r#""hunter2""#,
        "4711",
        "-4711",
        "47.11",
        "true",
        "null",
        r#"["hunter2"]"#,
        "{}",
        r#"{"secret":"hunter2"}"#,
        r#"{"$secret":4711}"#,
        r#"{"$secret":"a","more":"hunter2"}"#,
    ] {
        let error = serde_json::from_str::<SecretRef>(json).unwrap_err().to_string();
        assert!(error.contains(HINT), "{json}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("47"), "{json}: {error}");
    }
}

#[test]
fn a_setting_may_be_text_or_a_secret() {
    let read = |json| serde_json::from_str::<SecretOrText>(json);
    assert_eq!(read(r#""plain""#).unwrap(), SecretOrText::Text("plain".to_owned()));
    assert!(
        matches!(read(r#"{"$secret":"a"}"#).unwrap(), SecretOrText::Secret(secret) if secret.name() == "a")
    );
    assert!(read("1").is_err());
}

#[test]
fn no_secret_prints_itself() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(***)");
    assert_eq!(format!("{:?}", SecretOrText::Text("hunter2".to_owned())), "Text(***)");
}

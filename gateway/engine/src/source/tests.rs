use super::*;

fn sources() -> Sources {
    let tokens = [Secret::new("first-token"), Secret::new("second-token")];
    Sources::new([
        Source::new(SourceName::new("acme"), &tokens, 1),
        Source::new(SourceName::new("locked"), &[], 1),
    ])
}

#[test]
fn either_of_two_tokens_opens_the_source() {
    for token in ["first-token", "second-token"] {
        assert!(sources().authenticate("acme", token).is_some());
    }
}

#[test]
fn wrong_tokens_and_unknown_sources_are_refused() {
    for (source, token) in [
        ("acme", "third-token"),
        ("acme", ""),
        ("nobody", "first-token"),
        ("locked", ""),
        ("locked", "first-token"),
    ] {
        assert!(sources().authenticate(source, token).is_none(), "{source} {token}");
    }
}

#[test]
fn debug_output_shows_no_token() {
    let shown = format!("{:?}", sources());
    assert!(!shown.contains("first-token"), "{shown}");
}

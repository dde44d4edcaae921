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

/// Counted and not timed: a clock in a test tells more about the machine than about the code.
#[test]
fn right_and_wrong_tokens_and_unknown_sources_cost_the_same_comparisons() {
    let sources = sources();
    for (name, token) in [
        ("acme", "first-token"),
        ("acme", "second-token"),
        ("acme", "third-token"),
        ("locked", "first-token"),
        ("nobody", "first-token"),
    ] {
        let tokens = sources.by_name.get(name).map_or(&sources.nobody, |source| &source.tokens);
        let mut comparisons = 0;
        tokens.accept_by(&hash(token), |hash, presented| {
            comparisons += 1;
            hash.ct_eq(presented)
        });
        assert_eq!(comparisons, limits::SOURCE_TOKENS_MAX, "{name} {token}");
    }
}

#[test]
fn debug_output_shows_no_token() {
    let shown = format!("{:?}", sources());
    assert!(!shown.contains("first-token"), "{shown}");
}

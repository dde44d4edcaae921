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
fn a_rate_limit_that_stays_the_same_goes_on_counting() {
    let limited = |requests| {
        Sources::new([Source::new(SourceName::new("acme"), &[Secret::new("token")], 1)
            .with_requests_per_second(requests)])
    };
    let takes = |sources: &Sources| {
        sources.authenticate("acme", "token").unwrap().take_permit(Timestamp::EPOCH).is_ok()
    };
    let before = limited(1);
    assert!(takes(&before));
    let same = limited(1).after(&before);
    assert!(!takes(&same), "it begins anew");
    assert!(takes(&limited(2).after(&same)), "another limit has not counted yet");
    let unlimited = Sources::new([Source::new(SourceName::new("acme"), &[Secret::new("token")], 1)]);
    let unlimited = unlimited.after(&same);
    assert!(takes(&unlimited) && takes(&unlimited), "there is none any more");
}

#[test]
fn debug_output_shows_no_token() {
    let shown = format!("{:?}", sources());
    assert!(!shown.contains("first-token"), "{shown}");
}

//! How long things are kept.

use std::time::Duration;

use super::{faults::check, good};
use crate::config::Retention;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn every_age_and_the_size_can_be_set() {
    let config = good(
        "[retention]\nevents = \"30d\"\ndead_letters = \"3650d\"\nsize = \"2 TiB\"\nidempotency_keys = \"12h\"\n\
         replays = \"1s\"\naudit = \"30d\"",
    );
    assert_eq!(
        config.retention,
        Retention {
            events: Some(30 * DAY),
            dead_letters: Some(3650 * DAY),
            size_bytes: Some(2 << 40),
            idempotency_keys: DAY / 2,
            replays: Duration::from_secs(1),
            audit: 30 * DAY,
        }
    );
}

#[test]
fn without_a_word_everything_has_an_end() {
    let Retention { events, dead_letters, size_bytes, .. } = good("").retention;
    assert!(events.is_some() && dead_letters.is_some() && size_bytes.is_some());
}

#[test]
fn events_may_be_kept_for_ever_when_somebody_says_so() {
    let text = "[retention]\nevents = \"forever\"\ndead_letters = \"forever\"\nsize = \"unlimited\"";
    let Retention { events, dead_letters, size_bytes, .. } = good(text).retention;
    assert_eq!((events, dead_letters, size_bytes), (None, None, None));
}

#[test]
fn ages_and_sizes_that_cannot_be_meant_are_told() {
    let age = |key: &str, value: &str, hint: &str| {
        check(
            &format!("[retention]\n{key} = {value}"),
            &format!("2: retention.{key}: not an age of at least a second"),
            hint,
        );
    };
    age("events", "\"0s\"", "forever");
    age("dead_letters", "\"200000d\"", "forever");
    age("idempotency_keys", "\"forever\"", "12h");
    age("replays", "\"soon\"", "12h");
    check(
        "[retention]\nevents = 90",
        "2: retention.events: expected an age of at least a second, found an integer",
        "90d",
    );
    check("[retention]\nsize = \"1 KiB\"", "2: retention.size: not a size of at least 1 MiB", "unlimited");
    check("[retention]\nevent = \"1d\"", "2: retention.event: unknown key", "did you mean \"events\"?");
}

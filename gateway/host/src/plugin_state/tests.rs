//! What the state in memory does; the gateway's store keeps the same promises.

use super::*;

async fn run(state: &MemoryState, operation: StateOperation) -> StateReply {
    state.run(operation).await
}

fn put(key: &str, value: &'static str, expected: Expected) -> StateOperation {
    StateOperation::Put { key: key.to_owned(), value: value.into(), expected, ttl: None }
}

fn get(key: &str) -> StateOperation {
    StateOperation::Get { key: key.to_owned() }
}

fn done(version: u64, value: &'static str) -> StateReply {
    StateReply::Done { version, value: value.into() }
}

#[tokio::test]
async fn a_write_happens_when_what_is_there_is_what_was_expected() {
    let state = MemoryState::default();
    let any = || Expected::Any;
    assert_eq!(run(&state, get("k")).await, StateReply::NotFound);
    assert_eq!(run(&state, put("k", "one", Expected::Version(1))).await, StateReply::Conflict { version: 0 });
    assert_eq!(run(&state, put("k", "one", Expected::Absent)).await, done(1, ""));
    assert_eq!(run(&state, put("k", "two", Expected::Absent)).await, StateReply::Conflict { version: 1 });
    assert_eq!(run(&state, put("k", "two", Expected::Version(1))).await, done(2, ""));
    assert_eq!(run(&state, get("k")).await, done(2, "two"));
    let delete = |expected| StateOperation::Delete { key: "k".to_owned(), expected };
    assert_eq!(run(&state, delete(Expected::Version(1))).await, StateReply::Conflict { version: 2 });
    assert_eq!(run(&state, delete(any())).await, done(0, ""));
    assert_eq!(run(&state, delete(any())).await, StateReply::NotFound);
    assert_eq!(run(&state, put("k", "three", any())).await, done(3, ""), "no version comes twice");
}

#[tokio::test]
async fn keys_are_listed_by_prefix() {
    let state = MemoryState::default();
    for key in ["b", "a/2", "a", "a/1"] {
        run(&state, put(key, "value", Expected::Any)).await;
    }
    let list = |prefix: &str| StateOperation::List { prefix: prefix.to_owned() };
    assert_eq!(run(&state, list("a/")).await, done(0, "a/1\na/2\n"));
    assert_eq!(run(&state, list("")).await, done(0, "a\na/1\na/2\nb\n"));
    assert_eq!(run(&state, list("c")).await, done(0, ""));
}

#[test]
fn a_list_that_is_too_long_is_no_list() {
    let key = "k".repeat(KEY_BYTES_MAX);
    let fit = LIST_BYTES_MAX / (KEY_BYTES_MAX + 1);
    let list = |keys: usize| StateReply::keys(std::iter::repeat_n(key.as_str(), keys));
    assert!(matches!(list(fit), StateReply::Done { .. }));
    assert_eq!(list(fit + 1), StateReply::TooLarge);
}

//! The headers by which a sender tells a repeat.

use super::{StatusCode, URL, post};
use crate::fake::{Fake, KEY_BYTES_MAX};

/// Sends these headers, and compares the key and the note that reach the gateway.
async fn check(headers: &[(&str, &str)], key: Option<&str>, note: Option<&str>) {
    let fake = Fake::default();
    post(&fake, URL, headers, "{}").await.assert_status(StatusCode::ACCEPTED);
    let seen = fake.hooks().remove(0);
    assert_eq!(seen.idempotency_key.as_deref(), key, "{headers:?}");
    assert_eq!(seen.note.as_deref(), note, "{headers:?}");
}

#[tokio::test]
async fn either_header_gives_the_key() {
    check(&[], None, None).await;
    check(&[("Idempotency-Key", "a~!b-1")], Some("a~!b-1"), None).await;
    check(&[("webhook-id", "msg_1")], Some("msg_1"), None).await;
    check(&[("webhook-id", "k"), ("idempotency-key", "k")], Some("k"), None).await;
    let longest = "k".repeat(KEY_BYTES_MAX);
    check(&[("idempotency-key", &longest)], Some(&longest), None).await;
}

#[tokio::test]
async fn a_key_that_does_not_fit_costs_the_key_and_not_the_event() {
    let left_out = |why: &str| format!("idempotency key left out: {why}");
    check(&[("idempotency-key", "")], None, Some(&left_out("it is empty"))).await;
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    check(&[("webhook-id", &long)], None, Some(&left_out("it is longer than 30 bytes"))).await;
    for key in ["ü", "a b", "a\tb"] {
        let note = left_out("it has other characters than visible ASCII");
        check(&[("webhook-id", key)], None, Some(&note)).await;
    }
}

#[tokio::test]
async fn a_second_key_that_differs_is_left_out_and_named() {
    let note = "webhook-id left out: Idempotency-Key is there and wins";
    check(&[("webhook-id", "msg_1"), ("idempotency-key", "k")], Some("k"), Some(note)).await;
    let both = format!("idempotency key left out: it is empty; {note}");
    check(&[("webhook-id", "msg_1"), ("idempotency-key", "")], None, Some(&both)).await;
}

#[tokio::test]
async fn notes_of_labels_and_key_are_joined() {
    let fake = Fake::default();
    post(&fake, &format!("{URL}&label.="), &[("webhook-id", "")], "{}")
        .await
        .assert_status(StatusCode::ACCEPTED);
    assert_eq!(
        fake.hooks()[0].note.as_deref(),
        Some("a label left out: it has no name; idempotency key left out: it is empty")
    );
}

#[tokio::test]
async fn a_repeat_is_answered_as_one() {
    let fake = Fake::default();
    for repeated in [false, true] {
        let response = post(&fake, URL, &[("idempotency-key", "k")], "{}").await;
        response.assert_status(StatusCode::ACCEPTED);
        let answer: serde_json::Value =
            serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
        assert_eq!(answer["repeated"], repeated);
    }
}

//! Bodies that are not taken: the gateway hears of each, because nobody else will.

use super::*;

/// Sends a body that is refused, and gives what the gateway heard.
async fn heard(headers: &[(&str, &str)], body: impl Into<Body>) -> String {
    let fake = Fake::default();
    let response = post(&fake, URL, headers, body).await;
    assert!(response.0.status().is_client_error());
    let mut refused = fake.refused();
    assert_eq!(refused.len(), 1, "{refused:?}");
    refused.remove(0)
}

#[tokio::test(start_paused = true)]
async fn the_gateway_hears_why_a_body_is_not_taken() {
    let gzipped = [("content-encoding", "gzip")];
    let mut cut = gzip(&[b'x'; 1000]);
    cut.truncate(cut.len() - 4);
    assert!(heard(&gzipped, cut).await.contains("cut off"));
    assert!(heard(&gzipped, "x").await.contains("not gzip"));
    assert!(heard(&[("content-encoding", "br")], "x").await.contains("gzip"));
    let large = heard(&[], vec![b'x'; BODY_BYTES_MAX + 1]).await;
    assert_eq!(large, "the body is larger than the 131072 bytes that this source takes");
    let never = Body::from_bytes_stream(stream::pending::<std::io::Result<Bytes>>());
    assert_eq!(heard(&[], never).await, "the body did not arrive within 5 seconds");
    let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]);
    assert_eq!(heard(&[], Body::from_bytes_stream(broken)).await, "the body broke off before its end");
}

#[tokio::test]
async fn a_caller_who_goes_away_is_heard_of() {
    let fake = Fake::default();
    let client = fake.client();
    let (_rest, sending) = begin(&client, 10).await;
    assert!(fake.refused().is_empty());
    drop(sending);
    assert_eq!(fake.refused(), ["the connection ended before the body did"]);
}

#[tokio::test]
async fn nothing_is_said_of_what_is_taken_or_of_a_stranger() {
    let fake = Fake::default();
    post(&fake, URL, &[], "{}").await.assert_status(StatusCode::ACCEPTED);
    let length = (BODY_BYTES_MAX + 1).to_string();
    let stranger = post(&fake, "/hooks/acme?token=wrong", &[("content-length", &length)], "{}").await;
    stranger.assert_status(StatusCode::UNAUTHORIZED);
    assert!(fake.refused().is_empty());
}

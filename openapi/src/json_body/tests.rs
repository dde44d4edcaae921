use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use poem::{
    Body,
    http::{StatusCode, header},
};

use super::BYTES_MAX;
use crate::fake::{Fake, OPERATOR_KEY};

/// Posts a body to an operation that takes JSON, and gives the status.
async fn status(content_type: Option<&str>, body: impl Into<Body>) -> StatusCode {
    let client = Fake::default().client();
    let mut request =
        client.post("/api/v1/replays").header(header::AUTHORIZATION, format!("Bearer {OPERATOR_KEY}"));
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    request.body(body).send().await.0.status()
}

const GOOD: &str = r#"{"filter": {}}"#;

#[tokio::test]
async fn json_is_taken_and_nothing_else() {
    for content_type in ["application/json", "Application/JSON ; charset=utf-8"] {
        assert_eq!(status(Some(content_type), GOOD).await, StatusCode::OK, "{content_type}");
    }
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        assert_eq!(status(content_type, GOOD).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type:?}");
    }
    for body in ["", "null", "[]", "7"] {
        assert_eq!(status(Some("application/json"), body).await, StatusCode::BAD_REQUEST, "{body:?}");
    }
}

#[tokio::test]
async fn a_body_is_read_no_further_than_its_limit() {
    let spaces = " ".repeat(BYTES_MAX - GOOD.len());
    assert_eq!(status(Some("application/json"), format!("{spaces}{GOOD}")).await, StatusCode::OK);
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1024])));
    let answer = status(Some("application/json"), Body::from_bytes_stream(endless)).await;
    assert_eq!(answer, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_or_breaks_off_is_refused() {
    let drip = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
    });
    let answer = status(Some("application/json"), Body::from_bytes_stream(drip)).await;
    assert_eq!(answer, StatusCode::REQUEST_TIMEOUT);
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
    let answer = status(Some("application/json"), Body::from_bytes_stream(broken)).await;
    assert_eq!(answer, StatusCode::BAD_REQUEST);
}

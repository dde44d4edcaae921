use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use poem::{
    Body,
    http::{StatusCode, header},
    test::TestResponse,
};
use serde_json::{Value, json};

use super::labels;
use crate::{
    fake::{BODY_BYTES_MAX, Fake, TOKEN},
    port::HookRefusal,
};

const URL: &str = "/hooks/acme?token=token-of-acme";

/// A body of `chunks` equal chunks without an end known beforehand, and the number of chunks taken so far.
fn stream_of(chunk: &'static [u8], chunks: usize) -> (Body, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let stream = stream::poll_fn(move |_| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        Poll::Ready((number < chunks).then(|| Ok::<_, std::io::Error>(Bytes::from_static(chunk))))
    });
    (Body::from_bytes_stream(stream), taken)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Sends a body as a caller would.
async fn post(fake: &Fake, url: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> TestResponse {
    let client = fake.client();
    let request =
        headers.iter().fold(client.post(url), |request, (name, value)| request.header(*name, *value));
    request.body(body).send().await
}

async fn problem_code(response: TestResponse) -> (StatusCode, String) {
    let status = response.0.status();
    let body = response.0.into_body().into_string().await.unwrap();
    let problem: Value = serde_json::from_str(&body).unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_body_is_stored_and_answered_with_the_event() {
    let fake = Fake::default();
    let response = fake.client().post(URL).content_type("application/json").body("{\"a\": 1}").send().await;
    response.assert_status(StatusCode::ACCEPTED);
    response
        .assert_json(json!({
            "event_id": "0192f0c1-2b7e-7c3a-9d52-000000000001", "kind": "monitor_run", "deliveries": 2
        }))
        .await;
    let hooks = fake.hooks();
    assert_eq!(hooks[0].body, "{\"a\": 1}");
    assert_eq!(hooks[0].content_type.as_deref(), Some("application/json"));
}

#[tokio::test]
async fn any_body_and_any_content_type_is_taken() {
    for (content_type, body) in [(None, &b""[..]), (Some("text/html"), b"<b>"), (Some("?"), b"\xff\x00")] {
        let fake = Fake::default();
        let headers: Vec<_> = content_type.map(|text| ("content-type", text)).into_iter().collect();
        post(&fake, URL, &headers, body).await.assert_status(StatusCode::ACCEPTED);
        assert_eq!(fake.hooks()[0].body, body);
        assert_eq!(fake.hooks()[0].content_type.as_deref(), content_type);
    }
}

#[tokio::test]
async fn the_token_may_be_in_the_url_or_in_the_header() {
    let basic = "Basic YW55b25lOnRva2VuLW9mLWFjbWU="; // anyone:token-of-acme
    for (url, authorization) in [
        (URL, None),
        (URL, Some("Bearer something for a proxy")),
        ("/hooks/acme?label.a=b&token=token%2Dof%2Dacme", None),
        ("/hooks/acme", Some("Bearer token-of-acme")),
        ("/hooks/acme", Some(basic)),
    ] {
        let headers: Vec<_> = authorization.map(|text| ("authorization", text)).into_iter().collect();
        post(&Fake::default(), url, &headers, "{}").await.assert_status(StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_source_are_answered_alike() {
    let mut answers = Vec::new();
    for url in
        ["/hooks/acme", "/hooks/acme?token=wrong", "/hooks/nobody?token=token-of-acme", "/hooks/nobody"]
    {
        let response = Fake::default().client().post(url).header("x-request-id", "same").send().await;
        response.assert_status(StatusCode::UNAUTHORIZED);
        response
            .assert_header(header::WWW_AUTHENTICATE, "Bearer realm=\"postroom\", Basic realm=\"postroom\"");
        answers.push(response.0.into_body().into_string().await.unwrap());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
}

#[tokio::test]
async fn a_refused_caller_is_answered_without_reading_the_body() {
    for url in ["/hooks/acme?token=wrong", "/hooks/nobody?token=token-of-acme&label.=x"] {
        let (body, taken) = stream_of(b"{}", 1);
        Fake::default().client().post(url).body(body).send().await.assert_status(StatusCode::UNAUTHORIZED);
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_without_reading_it() {
    let (body, taken) = stream_of(b"{}", 1);
    let length = (BODY_BYTES_MAX + 1).to_string();
    let answer = problem_code(post(&Fake::default(), URL, &[("content-length", &length)], body).await).await;
    assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
    assert_eq!(taken.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_at_the_limit() {
    let chunk: &[u8] = &[b'x'; 1024];
    let (body, _) = stream_of(chunk, BODY_BYTES_MAX / 1024);
    Fake::default().client().post(URL).body(body).send().await.assert_status(StatusCode::ACCEPTED);

    let (body, taken) = stream_of(chunk, usize::MAX);
    let answer = problem_code(Fake::default().client().post(URL).body(body).send().await).await;
    assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
    assert_eq!(taken.load(Ordering::Relaxed), BODY_BYTES_MAX / 1024 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_in_time_is_refused() {
    let drip = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
    });
    let answer = problem_code(post(&Fake::default(), URL, &[], Body::from_bytes_stream(drip)).await).await;
    assert_eq!(answer, (StatusCode::REQUEST_TIMEOUT, "body_timeout".to_owned()));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_and_not_stored() {
    let fake = Fake::default();
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
    let answer =
        problem_code(fake.client().post(URL).body(Body::from_bytes_stream(broken)).send().await).await;
    assert_eq!(answer, (StatusCode::BAD_REQUEST, "invalid_body".to_owned()));
    assert!(fake.hooks().is_empty());
}

#[tokio::test]
async fn a_gzip_body_is_stored_as_it_was_before() {
    for coding in ["gzip", "GZIP", "x-gzip"] {
        let fake = Fake::default();
        let body = gzip(b"{\"a\": 1}");
        post(&fake, URL, &[("content-encoding", coding)], body).await.assert_status(StatusCode::ACCEPTED);
        assert_eq!(fake.hooks()[0].body, "{\"a\": 1}");
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_refused() {
    let bomb = gzip(&vec![0; 16 * 1024 * 1024]);
    assert!(bomb.len() < BODY_BYTES_MAX);
    let answer = problem_code(post(&Fake::default(), URL, &[("content-encoding", "gzip")], bomb).await).await;
    assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
}

#[tokio::test]
async fn another_encoding_is_refused_with_the_one_that_works() {
    for coding in ["br", "gzip, gzip", "deflate"] {
        let response = Fake::default()
            .client()
            .post(URL)
            .header(header::CONTENT_ENCODING, coding)
            .body("x")
            .send()
            .await;
        response.assert_header(header::ACCEPT_ENCODING, "gzip");
        let answer = problem_code(response).await;
        assert_eq!(answer, (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding".to_owned()));
    }
}

#[tokio::test]
async fn refusals_of_the_gateway_become_their_status() {
    let second_and_a_bit = Duration::from_millis(1001);
    let reason = "the disk is full".to_owned();
    for (refusal, status, retry_after) in [
        (HookRefusal::Unauthorized, StatusCode::UNAUTHORIZED, None),
        (HookRefusal::TooLarge { limit: 5 }, StatusCode::PAYLOAD_TOO_LARGE, None),
        (
            HookRefusal::TooManyRequests { retry_after: second_and_a_bit },
            StatusCode::TOO_MANY_REQUESTS,
            Some("2"),
        ),
        (
            HookRefusal::Unavailable { retry_after: Duration::from_secs(30), reason },
            StatusCode::SERVICE_UNAVAILABLE,
            Some("30"),
        ),
    ] {
        let response = Fake::refusing(refusal).client().post(URL).body("{}").send().await;
        response.assert_status(status);
        response.assert_header(header::CONTENT_TYPE, "application/problem+json");
        let found = response.0.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap());
        assert_eq!(found, retry_after);
    }
}

#[tokio::test]
async fn labels_reach_the_gateway() {
    let fake = Fake::default();
    let url = format!("{URL}&label.team=payments&labels=no&label.stage=a%20b&x.label.c=no");
    fake.client().post(&url).send().await.assert_status(StatusCode::ACCEPTED);
    let hooks = fake.hooks();
    let pairs: Vec<_> = hooks[0].labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, ["stage=a b", "team=payments"]);
}

#[track_caller]
fn check_labels(query: &[(&str, &str)], expected: Result<usize, &str>) {
    let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let found = labels::parse(&query).map(|labels| labels.len()).map_err(|failure| failure.to_string());
    assert_eq!(found, expected.map_err(str::to_owned));
}

#[test]
fn labels_are_bounded() {
    let names: Vec<String> = (0..17).map(|number| format!("label.n{number:02}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let longest = "v".repeat(256);
    let too_long = "v".repeat(257);
    let long_name = format!("label.{too_long}");
    check_labels(&[("token", TOKEN)], Ok(0));
    check_labels(&[("label.a", ""), ("label.b", &longest)], Ok(2));
    check_labels(&many[..16], Ok(16));
    check_labels(&many, Err("label `n16` is one too many: at most 16 are taken"));
    check_labels(&[("label.a", &too_long)], Err("the value of label `a` is longer than 256 bytes"));
    check_labels(&[(&long_name, "")], Err("the name of a label is longer than 256 bytes"));
    check_labels(&[("label.a", "1"), ("label.a", "2")], Err("label `a` is given twice"));
    check_labels(&[("label.", "x")], Err("a label needs a name: `label.<name>=<value>`"));
}

#[tokio::test]
async fn a_bad_label_is_refused_and_the_token_is_not_repeated() {
    let response = Fake::default().client().post(format!("{URL}&label.=x")).send().await;
    response.assert_status(StatusCode::BAD_REQUEST);
    let body = response.0.into_body().into_string().await.unwrap();
    assert!(body.contains("invalid_label") && !body.contains(TOKEN), "{body}");
}

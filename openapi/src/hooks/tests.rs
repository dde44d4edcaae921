use std::{
    future::Future,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use poem::{
    Body, Endpoint, Response,
    http::{StatusCode, header},
    test::{TestClient, TestResponse},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    fake::{BODY_BYTES_MAX, Fake, LABEL_BYTES_MAX, Seen, TOKEN},
    port::HookRefusal,
};

mod idempotency;
mod refusals;
mod uploads;

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
            "event_id": "0192f0c1-2b7e-7c3a-9d52-000000000001", "kind": "monitor_run", "deliveries": 2,
            "repeated": false
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

/// Sends these parameters beside the token, and compares the labels and the note that reach the gateway.
async fn check_labels(parameters: &str, labels: &[&str], note: Option<&str>) {
    let fake = Fake::default();
    post(&fake, &format!("{URL}&{parameters}"), &[], "{}").await.assert_status(StatusCode::ACCEPTED);
    let Seen { labels: found, note: said, .. } = fake.hooks().remove(0);
    let pairs: Vec<_> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, labels);
    assert_eq!(said.as_deref(), note);
}

#[tokio::test]
async fn labels_reach_the_gateway() {
    let parameters = "label.team=payments&labels=no&label.stage=a%20b&x.label.c=no";
    check_labels(parameters, &["stage=a b", "team=payments"], None).await;
    check_labels("label.a=&label.b=2&label.c=3", &["a=", "b=2", "c=3"], None).await;
}

#[tokio::test]
async fn a_label_that_does_not_fit_is_left_out_and_the_event_is_kept() {
    let longest = "v".repeat(LABEL_BYTES_MAX);
    check_labels(&format!("label.{longest}={longest}"), &[&format!("{longest}={longest}")], None).await;
    for (parameter, left_out) in [
        (
            format!("label.{longest}v=1"),
            format!("label `{longest}v` left out: its name is longer than 20 bytes"),
        ),
        (format!("label.b={longest}v"), "label `b` left out: its value is longer than 20 bytes".to_owned()),
        ("label.a=2".to_owned(), "label `a` left out: it is given twice, the first one is kept".to_owned()),
        ("label.=x".to_owned(), "a label left out: it has no name".to_owned()),
    ] {
        check_labels(&format!("label.a=1&{parameter}&label.z=9"), &["a=1", "z=9"], Some(&left_out)).await;
    }
    check_labels(
        "label.d=1&label.c=2&label.b=3&label.a=4&label.d=5",
        &["b=3", "c=2", "d=1"],
        Some(
            "label `a` left out: no more than 3 are taken; label `d` left out: it is given twice, the first one is kept",
        ),
    )
    .await;
}

#[tokio::test]
async fn what_is_said_of_labels_left_out_is_bounded_and_has_no_value_and_no_token() {
    let fake = Fake::default();
    let unfit: String = (0..200).map(|n| format!("&label.%1Bn{n}{}={TOKEN}", "x".repeat(200))).collect();
    post(&fake, &format!("{URL}{unfit}"), &[], "{}").await.assert_status(StatusCode::ACCEPTED);
    let note = fake.hooks().remove(0).note.unwrap();
    assert!(note.len() < 2000 && note.ends_with("; 192 more labels left out"), "{note}");
    assert!(note.starts_with("label `\\u{1b}n0xxx") && note.contains("xxx…` left out"), "{note}");
    assert!(!note.contains(TOKEN), "{note}");
}

/// The rest of a body that is sent as the test says: dropping it ends the body.
type Rest = mpsc::UnboundedSender<std::io::Result<Bytes>>;

/// Begins to send a body and returns once the first `bytes` of it are with the gateway.
async fn begin<E: Endpoint<Output = Response>>(
    client: &TestClient<E>,
    bytes: usize,
) -> (Rest, impl Future<Output = TestResponse>) {
    let (rest, mut chunks) = mpsc::unbounded_channel();
    rest.send(Ok(vec![b'x'; bytes].into())).unwrap();
    let chunks = stream::poll_fn(move |context| chunks.poll_recv(context));
    let mut sending = Box::pin(client.post(URL).body(Body::from_bytes_stream(chunks)).send());
    assert!(sending.as_mut().now_or_never().is_none());
    (rest, sending)
}

/// Checks that a hook is refused, without waiting, because all bodies together would take too much.
async fn check_no_room(sending: impl Future<Output = TestResponse>) {
    let response = sending.now_or_never().expect("a hook without room is not waited for");
    response.assert_header(header::RETRY_AFTER, "5");
    assert_eq!(problem_code(response).await, (StatusCode::SERVICE_UNAVAILABLE, "unavailable".to_owned()));
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let fake = Fake::default();
    let client = fake.client();
    let mut begun = Vec::new();
    for _ in 0..8 {
        begun.push(begin(&client, BODY_BYTES_MAX).await);
    }
    let (body, taken) = stream_of(b"x", 1);
    check_no_room(client.post(URL).header("content-length", 1).body(body).send()).await;
    assert_eq!(taken.load(Ordering::Relaxed), 0, "what is announced is refused before it is read");
    check_no_room(client.post(URL).body(stream_of(b"x", 1).0).send()).await;
    check_no_room(client.post(URL).header("content-encoding", "gzip").body(gzip(b"x")).send()).await;
    assert!(fake.hooks().is_empty());

    for (rest, sending) in begun {
        drop(rest);
        sending.await.assert_status(StatusCode::ACCEPTED);
    }
    client.post(URL).body(vec![b'x'; BODY_BYTES_MAX]).send().await.assert_status(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_announced_length_is_reserved_before_the_body_comes() {
    let client = Fake::default().client();
    let length = BODY_BYTES_MAX.to_string();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let never = Body::from_bytes_stream(stream::pending::<std::io::Result<Bytes>>());
        let mut sending = Box::pin(client.post(URL).header("content-length", &length).body(never).send());
        assert!(sending.as_mut().now_or_never().is_none());
        waiting.push(sending);
    }
    check_no_room(client.post(URL).body("x").send()).await;
    waiting.pop();
    client.post(URL).body("x").send().await.assert_status(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_gzip_unpacks_to_counts() {
    let client = Fake::default().client();
    let mut begun = Vec::new();
    for _ in 0..3 {
        begun.push(begin(&client, BODY_BYTES_MAX).await);
    }
    let packed = |bytes: usize| {
        client.post(URL).header("content-encoding", "gzip").body(gzip(&vec![b'x'; bytes])).send()
    };
    packed(1024).await.assert_status(StatusCode::ACCEPTED);
    check_no_room(packed(BODY_BYTES_MAX)).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_gives_its_room_back_however_it_ends() {
    let refusal = HookRefusal::Unavailable { retry_after: Duration::ZERO, reason: "full".to_owned() };
    for (fake, status) in
        [(Fake::default(), StatusCode::ACCEPTED), (Fake::refusing(refusal), StatusCode::SERVICE_UNAVAILABLE)]
    {
        let client = fake.client();
        for _ in 0..9 {
            let (rest, sending) = begin(&client, BODY_BYTES_MAX).await;
            drop(rest);
            sending.await.assert_status(status);

            drop(begin(&client, BODY_BYTES_MAX).await);

            let (rest, sending) = begin(&client, BODY_BYTES_MAX).await;
            rest.send(Err(std::io::Error::other("reset"))).unwrap();
            sending.await.assert_status(StatusCode::BAD_REQUEST);

            let (rest, sending) = begin(&client, BODY_BYTES_MAX).await;
            rest.send(Ok(Bytes::from_static(b"x"))).unwrap();
            sending.await.assert_status(StatusCode::PAYLOAD_TOO_LARGE);

            let (_rest, sending) = begin(&client, BODY_BYTES_MAX).await;
            sending.await.assert_status(StatusCode::REQUEST_TIMEOUT);
        }
    }
}

#[tokio::test]
async fn a_body_keeps_its_room_until_it_is_stored() {
    let fake = Fake::slow();
    let client = fake.client();
    let mut storing = Vec::new();
    for _ in 0..8 {
        let mut sending = Box::pin(client.post(URL).body(vec![b'x'; BODY_BYTES_MAX]).send());
        assert!(sending.as_mut().now_or_never().is_none());
        storing.push(sending);
    }
    check_no_room(client.post(URL).body("x").send()).await;
    fake.store_one();
    storing.remove(0).await.assert_status(StatusCode::ACCEPTED);
    let mut sending = Box::pin(client.post(URL).body("x").send());
    assert!(sending.as_mut().now_or_never().is_none());
    fake.store_one();
}

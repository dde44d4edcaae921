use std::time::Duration;

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use super::{HttpClient, Reach, excerpt, request::is_denied, retry_after};
use crate::{
    CreateError, Delivery, Event, Failure, Host, Outcome, Plugin, Secret,
    testing::{EventFixture, OutcomeKind, PluginHarness, TestOutcome},
};

/// Posts each event to its config's address and gives back what the answer was.
struct Poster {
    http: HttpClient,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    url: String,
    timeout_ms: Option<u64>,
    header: Option<String>,
    #[serde(default = "private")]
    reach: Reach,
}

/// The servers of these tests are on this machine.
const fn private() -> Reach {
    Reach::Private
}

impl Plugin for Poster {
    type Config = Config;

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        let mut builder = HttpClient::builder(&host, "poster", "1.2.3").reach(config.reach);
        if let Some(ms) = config.timeout_ms {
            builder = builder.timeout(Duration::from_millis(ms)).connect_timeout(Duration::from_millis(ms));
        }
        Ok(Self { http: builder.build()?, config })
    }

    async fn deliver(&self, event: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        let mut request = self
            .http
            .post(&self.config.url)
            .bearer(&Secret::new("hunter2"))
            .header("content-type", "application/json")
            .body(event.shared_body());
        if let Some(value) = &self.config.header {
            request = request.header("x-team", value);
        }
        assert!(!format!("{request:?} {:?}", self.http).contains("hunter2"));
        let response = request.send().await?.successful()?;
        Ok(Outcome::delivered().with_message(response.excerpt()))
    }
}

/// Answers one request with `answer` and gives back the request.
async fn server(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=hunter2", listener.local_addr().unwrap());
    let request = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0, "the request is whole");
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, request)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() == length.parse::<usize>().unwrap()
}

async fn post(config: serde_json::Value) -> TestOutcome {
    let harness = PluginHarness::<Poster>::builder().config(config).start().unwrap();
    let outcome = harness.deliver_async(&EventFixture::monitor_run(1)).await;
    assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
    outcome
}

#[tokio::test]
async fn a_request_carries_body_token_and_name() {
    let (url, request) = server("HTTP/1.1 201 Created\r\ncontent-length: 13\r\n\r\ngot  hunter2\n").await;
    let outcome = post(serde_json::json!({ "url": url, "header": "payments" })).await;
    assert_eq!((outcome.kind, outcome.message.as_str()), (OutcomeKind::Delivered, "got ***"));
    let request = request.await.unwrap();
    for part in [
        "POST /hook?key=hunter2 HTTP/1.1\r\n",
        "authorization: Bearer hunter2\r\n",
        "content-type: application/json\r\n",
        "user-agent: postroom-poster/1.2.3\r\n",
        "x-team: payments\r\n",
        "\"monitor_name\":\"End-to-End test Master\"",
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
}

#[tokio::test]
async fn a_refusal_becomes_a_failure_with_an_excerpt() {
    let (url, _request) =
        server("HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\nbusy\n").await;
    let outcome = post(serde_json::json!({ "url": url })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "http_503"));
    assert_eq!(outcome.message, "the answer was 503 Service Unavailable: busy");
    assert_eq!(outcome.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (url, _request) =
        server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n").await;
    let outcome = post(serde_json::json!({ "url": url })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Misconfigured, "http_302"));
    assert_eq!(outcome.message, "the answer was 302 Found");
}

#[tokio::test]
async fn an_answer_that_breaks_off_counts_by_its_status() {
    let (url, _request) = server("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart").await;
    assert_eq!(post(serde_json::json!({ "url": url })).await.kind, OutcomeKind::Delivered);
}

#[tokio::test]
async fn no_answer_is_a_retry_that_does_not_name_the_address() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = post(serde_json::json!({ "url": format!("http://{closed}/?key=hunter2") })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "connect"));
    assert!(outcome.message.contains("refused"), "{}", outcome.message);

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?key=hunter2", silent.local_addr().unwrap());
    let outcome = post(serde_json::json!({ "url": url, "timeout_ms": 20 })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "timeout"));

    let (url, _request) = server("").await;
    let outcome = post(serde_json::json!({ "url": url })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "transport"));
}

#[tokio::test]
async fn a_request_that_cannot_be_made_is_the_operators_matter() {
    let outcome = post(serde_json::json!({ "url": "hunter2 is no address" })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Misconfigured, "bad_request"));
    let outcome = post(serde_json::json!({ "url": "http://127.0.0.1:9/", "header": "hunter2\n" })).await;
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Misconfigured, "bad_header"));
    assert_eq!(outcome.message, "the value of the header `x-team` has characters that HTTP does not allow");
}

#[tokio::test]
async fn an_address_beyond_the_reach_is_refused_by_number_and_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}/?key=hunter2");
        let outcome = post(serde_json::json!({ "url": url, "reach": "public" })).await;
        assert_eq!(
            (outcome.kind, outcome.code.as_str()),
            (OutcomeKind::Misconfigured, "beyond_reach"),
            "{host}: {outcome:?}"
        );
    }
    let outcome = post(serde_json::json!({ "url": "http://169.254.169.254/", "reach": "private" })).await;
    assert_eq!(outcome.code, "beyond_reach");
}

#[tokio::test]
async fn a_name_within_the_reach_is_connected_to() {
    let (url, request) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let outcome = post(serde_json::json!({ "url": url.replace("127.0.0.1", "localhost") })).await;
    assert_eq!(outcome.kind, OutcomeKind::Delivered);
    assert!(request.await.unwrap().contains("host: localhost"));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    // 2025-01-01 00:00:00 UTC
    let now = 1_735_689_600_000;
    let check = |value, seconds: Option<u64>| {
        assert_eq!(retry_after::parse(value, now), seconds.map(Duration::from_secs), "{value}");
    };
    check("120", Some(120));
    check(" 0 ", Some(0));
    check("Wed, 01 Jan 2025 00:01:30 GMT", Some(90));
    check("Tue, 31 Dec 2024 00:00:00 GMT", Some(0));
    check("-1", None);
    check("soon", None);
    check("", None);
}

#[test]
fn an_excerpt_is_one_short_line_without_secrets() {
    let check = |body: &str, secrets: &[&str], expected: &str| {
        let secrets: Vec<Secret> = secrets.iter().copied().map(Secret::new).collect();
        assert_eq!(excerpt::of(body.as_bytes(), true, &secrets), expected);
    };
    check("  one\r\n\ttwo\u{7}three ", &[], "one two three");
    check("token hunter2, hunter2", &["hunter2", ""], "token ***, ***");
    check(&"ä".repeat(201), &[], &format!("{}…", "ä".repeat(200)));
    check(&"a".repeat(200), &[], &"a".repeat(200));
    check("whole, hunt", &["hunter2"], "whole, hunt");
    let cut = |body: &str, secrets: &[&str]| {
        excerpt::of(body.as_bytes(), false, &secrets.iter().copied().map(Secret::new).collect::<Vec<_>>())
    };
    assert_eq!(cut("cut, hunt", &["hunter2", "hunting", "tt"]), "cut, ***");
    assert_eq!(cut("cut, hunter2", &["hunter2"]), "cut, ***");
    assert_eq!(cut("cut", &["hunter2"]), "cut");
    assert_eq!(excerpt::of(b"\xff\xfe", true, &[]), "\u{fffd}\u{fffd}");
}

#[tokio::test]
async fn only_the_beginning_of_an_answer_is_kept() {
    let answer: &'static str =
        Box::leak(format!("HTTP/1.1 500 Oh\r\ncontent-length: 100000\r\n\r\n{}", "x".repeat(100_000)).into());
    let (url, _request) = server(answer).await;
    let outcome = post(serde_json::json!({ "url": url })).await;
    assert_eq!(outcome.code, "http_500");
    assert!(outcome.message.chars().count() < 300, "{}", outcome.message);
}

#[test]
fn a_connection_that_the_system_forbids_is_seen_below_other_errors() {
    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct NoConnection(#[source] std::io::Error);

    // EPERM, EACCES, ECONNREFUSED
    for (errno, expected) in [(1, true), (13, true), (111, false)] {
        let error = NoConnection(std::io::Error::from_raw_os_error(errno));
        assert_eq!(is_denied(&error), expected, "{errno}");
    }
}

#[tokio::test]
async fn no_part_of_a_secret_is_left_where_a_body_is_cut() {
    // Of 8 KiB that are read the last 5 are the beginning of the token.
    let blanks = " ".repeat(8 * 1024 - 5);
    let head = format!("HTTP/1.1 500 Oh\r\ncontent-length: {}\r\n\r\n", blanks.len() + 7);
    let answer: &'static str = Box::leak(format!("{head}{blanks}hunter2").into());
    let (url, _request) = server(answer).await;
    let outcome = post(serde_json::json!({ "url": url })).await;
    assert_eq!(outcome.message, "the answer was 500 Internal Server Error: ***");

    let broken_off = "HTTP/1.1 500 Oh\r\ncontent-length: 100\r\n\r\nyou are hunt";
    let (url, _request) = server(broken_off).await;
    let outcome = post(serde_json::json!({ "url": url })).await;
    assert_eq!(outcome.message, "the answer was 500 Internal Server Error: you are ***");
}

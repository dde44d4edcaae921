//! What a sender is answered, and what is kept of what it sent.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use postroom_tests::harness::{Answer, Config, TestGateway, body, eventually, random_token};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{converse, start};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn an_accepted_body_is_answered_with_its_event() {
    let gateway = start(Config::new()).await;
    let check = async |body: String, kind: &str, subject: Value| {
        let answer = gateway.post(body.clone()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let accepted = answer.json();
        assert_eq!((&accepted["kind"], &accepted["deliveries"]), (&json!(kind), &json!(0)));

        let event = gateway.get(&format!("/api/v1/events/{}", accepted["event_id"].as_str().unwrap())).await;
        assert_eq!(event["id"], accepted["event_id"]);
        assert_eq!((&event["kind"], &event["source"]), (&json!(kind), &json!(Config::SOURCE)));
        assert_eq!(event["subject"], subject);
        assert_eq!(event["body_bytes"], json!(body.len()));
        assert_eq!(event["content_type"], "application/json");
    };
    check(
        body::monitor_run("1e8eea47-e976-4b60-a122-11a5ba65085a", 0),
        "monitor_run",
        json!("1e8eea47-e976-4b60-a122-11a5ba65085a"),
    )
    .await;
    check(body::collection_backup("c3ec8bf7", "Orders"), "collection_backup", json!("c3ec8bf7")).await;
    check(body::activity("update"), "activity", json!("34-44-56")).await;
}

#[tokio::test]
async fn two_identical_runs_are_two_events() {
    let gateway = start(Config::new()).await;
    let run = body::monitor_run("m", 0);
    assert_ne!(gateway.accept(run.clone()).await, gateway.accept(run).await);
    assert_eq!(gateway.list("/api/v1/events").await.len(), 2);
}

#[tokio::test]
async fn a_token_is_taken_from_query_bearer_and_basic() {
    let (old, new) = (random_token(), random_token());
    let settings = format!("tokens = [\"{old}\", \"{new}\"]");
    let gateway = start(Config::new().source("rotating", &settings)).await;
    for token in [&old, &new] {
        let post = |path: &str| gateway.client().request(Method::POST, path);
        check_status(post(&format!("/hooks/rotating?token={token}")), 202).await;
        check_status(post("/hooks/rotating").bearer_auth(token), 202).await;
        check_status(post("/hooks/rotating").basic_auth("postman", Some(token)), 202).await;
    }
}

async fn check_status(request: RequestBuilder, status: u16) {
    let answer = Answer::to(request.body("{}")).await;
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
}

#[tokio::test]
async fn a_refusal_does_not_tell_whether_the_source_exists() {
    let other = random_token();
    let gateway = start(Config::new().source("other", &format!("tokens = [\"{other}\"]"))).await;
    let wrong = random_token();
    let post = |path: String| gateway.client().request(Method::POST, &path);
    let refused = [
        post("/hooks/postman".to_owned()),
        post("/hooks/unknown".to_owned()),
        post(format!("/hooks/postman?token={wrong}")),
        post(format!("/hooks/postman?token={other}")),
        post(format!("/hooks/unknown?token={wrong}")),
        post(format!("/hooks/unknown?token={other}")),
        post("/hooks/postman".to_owned()).bearer_auth(&wrong),
        post("/hooks/unknown".to_owned()).basic_auth("postman", Some(&wrong)),
        post("/hooks/postman?token=".to_owned()),
    ];
    let mut answers = Vec::new();
    for request in refused {
        let answer = Answer::to(request.body(body::monitor_run("m", 0))).await;
        answer.assert_problem(401, "unauthorized");
        answers.push(without_request_id(&answer));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert!(gateway.list("/api/v1/events").await.is_empty(), "nothing is kept of a refused body");
}

/// Status, headers and body, less the request's id and the time.
fn without_request_id(answer: &Answer) -> String {
    let id = answer.header("x-request-id");
    assert!(!id.is_empty(), "every answer has a request id");
    let mut headers = answer.headers.clone();
    headers.remove("date");
    format!("{} {headers:?} {}", answer.status, answer.text()).replace(id, "ID")
}

#[tokio::test]
async fn what_is_not_recognised_is_kept_byte_for_byte() {
    let gateway = start(Config::new()).await;
    let deep_list = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let deep_object = [r#"{"a":"#.repeat(100_000), "1".to_owned(), "}".repeat(100_000)].concat();
    let bodies: [&[u8]; 9] = [
        b"",
        b"hello",
        b"\xff\xfe\x00\x80",
        b"{\"monitor_name\":\"m\xff\",\"metrics\":{}}",
        b"{\"monitor_name\":\"m\",\"metrics\":",
        b"{ \"event\" : \"something\\u0000else\" }\r\n",
        b"[1,2,3]",
        &deep_list,
        deep_object.as_bytes(),
    ];
    for body in bodies {
        let sample = String::from_utf8_lossy(&body[..body.len().min(40)]);
        let answer = gateway.post(body.to_vec()).await;
        assert_eq!(answer.status, 202, "{sample}: {}", answer.text());
        assert_eq!(answer.json()["kind"], "unrecognized", "{sample}");
        let path = format!("/api/v1/events/{}", answer.json()["event_id"].as_str().unwrap());
        assert!(gateway.get(&path).await["note"].is_string(), "{sample}: no note says why");
        let kept = gateway.ask(&format!("{path}/body")).await;
        assert_eq!((kept.status.as_u16(), &kept.body[..]), (200, body), "{sample}");
        assert_eq!(kept.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn deep_nesting_inside_a_known_shape_is_no_danger() {
    let gateway = start(Config::new()).await;
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, kind) in [
        (format!("{{\"collection\":{{\"item\":{nested}}}}}"), "collection_backup"),
        (format!("{{\"metrics\":{{\"errors\":{nested}}},\"monitor_name\":\"m\"}}"), "monitor_run"),
        (format!("{{\"action\":{nested},\"model\":\"m\"}}"), "activity"),
    ] {
        let answer = gateway.post(body.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["kind"]), (202, &json!(kind)));
        let id = answer.json()["event_id"].as_str().unwrap().to_owned();
        assert_eq!(gateway.ask(&format!("/api/v1/events/{id}/body")).await.body, body);
    }
}

#[tokio::test]
async fn any_content_type_and_none_are_taken_and_kept() {
    let gateway = start(Config::new()).await;
    for content_type in [Some("text/plain; charset=utf-8"), Some("application/x-www-form-urlencoded"), None] {
        let mut request = gateway.hook().body("a=b");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let path = format!("/api/v1/events/{}", answer.json()["event_id"].as_str().unwrap());
        assert_eq!(gateway.get(&path).await["content_type"].as_str(), content_type);
        let served = gateway.ask(&format!("{path}/body")).await;
        assert_eq!(served.header("content-type"), content_type.unwrap_or("application/octet-stream"));
        assert_eq!(
            served.header("x-content-type-options"),
            "nosniff",
            "a stored page must not run in a browser"
        );
    }
}

#[tokio::test]
async fn a_body_over_64_mib_is_refused_and_not_kept() {
    let gateway = start(Config::new()).await;
    let head = format!(
        "POST /hooks/postman HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\nauthorization: Bearer {}\r\n",
        gateway.config().token()
    );

    // The length alone is enough to refuse it: none of the body is ever sent.
    let announced = format!("{head}content-length: {}\r\n\r\n", 65 * MIB);
    let answer = converse(gateway.address(), announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"body_too_large\""), "{answer}");

    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..65 {
        write!(chunked, "{MIB:x}\r\n").unwrap();
        chunked.resize(chunked.len() + MIB, b' ');
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = converse(gateway.address(), &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    let answer = gateway.post(vec![b' '; 65 * MIB]).await;
    answer.assert_problem(413, "body_too_large");
    assert!(gateway.list("/api/v1/events").await.is_empty());
}

#[tokio::test]
async fn a_source_may_have_its_own_body_limit() {
    let gateway = start(Config::with_source_settings("body_limit = \"1 KiB\"")).await;
    let check = async |request: RequestBuilder, status: u16| {
        assert_eq!(Answer::to(request).await.status.as_u16(), status);
    };
    check(gateway.hook().body(vec![b'x'; 1024]), 202).await;
    check(gateway.hook().body(vec![b'x'; 1025]), 413).await;
    let unpacked = |bytes| gateway.hook().header("content-encoding", "gzip").body(gzip(&vec![b'x'; bytes]));
    check(unpacked(1024), 202).await;
    check(unpacked(1025), 413).await;
    check(unpacked(64 * MIB), 413).await;
    assert_eq!(gateway.list("/api/v1/events").await.len(), 2);
}

#[tokio::test]
async fn a_source_that_sends_too_fast_is_told_when_to_come_back() {
    let gateway = start(Config::with_source_settings("requests_per_second = 1")).await;
    // Twenty in less than nineteen seconds are more than one a second, however slow the machine is.
    let mut taken = 0;
    for _ in 0..20 {
        let answer = gateway.post("{}").await;
        match answer.status.as_u16() {
            202 => taken += 1,
            _ => {
                answer.assert_problem(429, "too_many_requests");
                assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            }
        }
    }
    assert!((1..20).contains(&taken), "{taken} of 20 were taken");
    assert_eq!(refusal(&gateway, "more requests than it may").await["source"], Config::SOURCE);
    assert_eq!(gateway.list("/api/v1/events").await.len(), taken, "nothing is kept of what was refused");
}

#[tokio::test]
async fn compressed_and_chunked_bodies_are_kept_as_what_they_carry() {
    let gateway = start(Config::new()).await;
    let run = body::monitor_run("m", 0);
    let packed = gateway.hook().header("content-encoding", "gzip").body(gzip(run.as_bytes()));
    check_kept(&gateway, &Answer::to(packed).await, &run).await;

    let (first, second) = run.split_at(100);
    let chunked = format!(
        "POST /hooks/postman?token={} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        gateway.config().token(),
        first.len(),
        second.len(),
    );
    let answer = converse(gateway.address(), chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let id = gateway.list("/api/v1/events").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(gateway.ask(&format!("/api/v1/events/{id}/body")).await.body, run);

    let unknown = gateway.hook().header("content-encoding", "br").body("?");
    Answer::to(unknown).await.assert_problem(415, "unsupported_encoding");
    let broken = gateway.hook().header("content-encoding", "gzip").body("not gzip");
    Answer::to(broken).await.assert_problem(400, "invalid_body");
}

#[tokio::test]
async fn each_refused_body_leaves_a_line_in_the_log_with_its_source() {
    let gateway = start(Config::with_source_settings("body_limit = \"1 KiB\"")).await;
    let mut cut = gzip(&[b'x'; 1000]);
    cut.truncate(cut.len() - 4);
    let gzipped = |body: Vec<u8>| gateway.hook().header("content-encoding", "gzip").body(body);
    for (request, status, reason) in [
        (gzipped(cut), 400, "the body says `Content-Encoding: gzip` but is not gzip, or is cut off"),
        (
            gateway.hook().body(vec![b'x'; 1025]),
            413,
            "the body is larger than the 1024 bytes that this source takes",
        ),
        (
            gateway.hook().header("content-encoding", "br").body("?"),
            415,
            "bodies are taken as they are or compressed with gzip, not with another Content-Encoding",
        ),
    ] {
        assert_eq!(Answer::to(request).await.status, status);
        let line = refusal(&gateway, reason).await;
        assert_eq!(
            (&line["source"], &line["count"], &line["level"]),
            (&json!(Config::SOURCE), &json!(1), &json!("WARN"))
        );
    }
}

#[tokio::test]
async fn a_caller_who_breaks_off_is_told_of_in_the_log() {
    let gateway = start(Config::new()).await;
    let head = format!(
        "POST /hooks/postman?token={} HTTP/1.1\r\nhost: gateway\r\ncontent-length: 1000\r\n\r\nonly this",
        gateway.config().token(),
    );
    let mut stream = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    drop(stream);
    let line = refusal(&gateway, "").await;
    assert_eq!(line["source"], Config::SOURCE, "{line}");
    assert!(gateway.list("/api/v1/events").await.is_empty());
}

/// Waits for the line about a refusal with a reason like this.
async fn refusal(gateway: &TestGateway, reason: &str) -> Value {
    eventually("the log to tell of the refusal", async || {
        let lines = gateway.log_lines();
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| {
            line["message"] == "webhook refused"
                && line["reason"].as_str().is_some_and(|text| text.contains(reason))
        })
    })
    .await
}

async fn check_kept(gateway: &TestGateway, answer: &Answer, body: &str) {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["event_id"].as_str().unwrap().to_owned();
    assert_eq!(gateway.ask(&format!("/api/v1/events/{id}/body")).await.body, body);
}

#[tokio::test]
async fn labels_of_source_and_request_become_labels_of_the_event() {
    let gateway = start(Config::with_source_settings("labels = { stage = \"live\", team = \"core\" }")).await;
    let post = |query: &str| gateway.client().request(Method::POST, &format!("/hooks/postman?{query}"));
    let token = gateway.config().token();

    let answer = Answer::to(post(&format!("label.city=M%C3%BCnchen&token={token}&other=1")).body("{}")).await;
    let event = event_of(&gateway, &answer).await;
    assert_eq!(event["labels"], json!({"stage": "live", "team": "core", "city": "München"}));

    let all: String = (0..16).map(|n| format!("label.l{n}=1&")).collect();
    for (labels, left_out) in [
        (
            format!("label.long={}", "x".repeat(257)),
            "label `long` left out: its value is longer than 256 bytes",
        ),
        (format!("{all}label.more=1"), "label `more` left out: no more than 16 are taken"),
        ("label.a=1&label.a=2".to_owned(), "label `a` left out: it is given twice, the first one is kept"),
    ] {
        let answer =
            Answer::to(post(&format!("token={token}&{labels}")).body(body::monitor_run("m", 0))).await;
        assert_eq!(event_of(&gateway, &answer).await["note"], left_out);
        let answer = Answer::to(post(&format!("token={token}&{labels}")).body("?")).await;
        let event = event_of(&gateway, &answer).await;
        assert_eq!(event["kind"], "unrecognized");
        let note = event["note"].as_str().unwrap();
        assert!(note.contains("not JSON") && note.ends_with(&format!("; {left_out}")), "{note}");
        assert!(!event.to_string().contains(token));
    }
}

async fn event_of(gateway: &TestGateway, answer: &Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.text());
    gateway.get(&format!("/api/v1/events/{}", answer.json()["event_id"].as_str().unwrap())).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

//! Clients that mean no good, or do not know better: each is bounded, is told so where it listens, and the others go on.
//!
//! Limits of time are shown where it can be paused: `gateway/server/src/serve/tests.rs` and `openapi/src/hooks/tests.rs`.

use postroom_tests::harness::{Answer, Config, TestGateway, body, eventually};
use reqwest::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{converse, start};

/// Connections that have sent this and nothing more.
async fn begun(gateway: &TestGateway, count: usize, sent: &str) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    streams
}

/// The gateway takes an event and shows it.
async fn serves_on(gateway: &TestGateway) {
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    assert_eq!(gateway.get(&format!("/api/v1/events/{event}")).await["id"], *event);
}

#[tokio::test]
async fn thousands_of_clients_that_do_not_finish_hold_nobody_up() {
    let gateway = start(Config::new()).await;
    serves_on(&gateway).await;
    let half = "POST /hooks/postman HTTP/1.1\r\nhost: a\r\nx-so";
    let _headers = begun(&gateway, 1000, half).await;
    let token = gateway.config().token();
    let part =
        format!("POST /hooks/postman?token={token} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{{");
    let _bodies = begun(&gateway, 1000, &part).await;
    serves_on(&gateway).await;
    assert_eq!(gateway.list("/api/v1/events").await.len(), 2, "of a part nothing is kept");
}

#[tokio::test]
async fn ten_thousand_silent_clients_take_little_and_hold_nobody_up() {
    // As many as this process may have; each takes a descriptor here and one there.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let may = maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let count = may.saturating_sub(2000).min(10_000);
    assert!(count >= 1000, "the limit on descriptors leaves nothing to show: {may}");
    let gateway = start(Config::new()).await;
    serves_on(&gateway).await;
    let before = gateway.memory_peak_bytes();
    let _silent = begun(&gateway, count, "").await;
    serves_on(&gateway).await;
    let each = (gateway.memory_peak_bytes() - before) / count as u64;
    assert!(each < 64 * 1024, "{each} bytes for each of {count}");
}

#[tokio::test]
async fn a_gateway_without_descriptors_goes_on_when_clients_leave() {
    let gateway = start(Config::new()).await;
    serves_on(&gateway).await;
    gateway.limit_descriptors(Some(128));
    let silent = begun(&gateway, 400, "").await;
    gateway.logs().message("cannot accept connections").await;
    drop(silent);
    eventually("the gateway to take events again", async || {
        let post = gateway.hook().body(body::monitor_run("m", 0));
        post.send().await.is_ok_and(|answer| answer.status() == 202).then_some(())
    })
    .await;
    serves_on(&gateway).await;
}

#[tokio::test]
async fn a_request_that_is_too_large_to_be_meant_is_told_so() {
    let gateway = start(Config::new()).await;
    let huge = "x".repeat(1024 * 1024);
    let header = format!("GET /api/v1/events HTTP/1.1\r\nhost: a\r\nx-huge: {huge}\r\n\r\n");
    let answer = converse(gateway.address(), header.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let url = format!("GET /{huge} HTTP/1.1\r\nhost: a\r\n\r\n");
    let answer = converse(gateway.address(), url.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");

    let many: String = (0..1000).map(|n| format!("&p{n}=1")).collect();
    gateway.ask(&format!("/api/v1/events?limit=1{many}")).await.assert_problem(400, "invalid_parameter");
    let labels: String = (0..1000).map(|n| format!("&label.l{n}=1")).collect();
    let token = gateway.config().token();
    let hook =
        |more: &str| gateway.client().request(Method::POST, &format!("/hooks/postman?token={token}{more}"));
    let answer = Answer::to(hook(&labels).body("{}")).await;
    assert_eq!(answer.status, 202, "labels are no reason to lose an event");
    let path = format!("/api/v1/events/{}", answer.json()["event_id"].as_str().unwrap());
    let event = gateway.get(&path).await;
    assert_eq!(event["labels"].as_object().unwrap().len(), 16, "{event}");
    assert!(event["note"].as_str().is_some_and(|note| note.contains("label")), "{event}");
    let answer = Answer::to(hook(&many).body("{}")).await;
    assert_eq!(answer.status, 202, "nor is what a relay adds to the URL");
    serves_on(&gateway).await;
}

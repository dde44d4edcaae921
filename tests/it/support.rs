//! What all tests begin with.

use std::net::SocketAddr;

use postroom_tests::harness::{Config, Program, TestGateway, eventually};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The program under test.
pub(crate) fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_postroom-under-test"))
}

/// Starts a gateway and waits until it is ready.
pub(crate) async fn start(config: Config) -> TestGateway {
    TestGateway::start(&program(), config).await
}

/// A list of waits for a destination's `retry`: `count` times `wait`.
pub(crate) fn retry(count: usize, wait: &str) -> String {
    format!("retry = [{}]", vec![format!("\"{wait}\""); count].join(", "))
}

/// Waits until nothing is in flight at a destination. An outcome shows a moment before its lane goes on.
pub(crate) async fn at_rest(gateway: &TestGateway, destination: &str) {
    let path = format!("/api/v1/destinations/{destination}");
    eventually("nothing to be in flight", async || {
        (gateway.get(&path).await["in_flight"] == 0).then_some(())
    })
    .await;
}

/// Writes `request` as it is, and gives the whole answer to it.
pub(crate) async fn converse(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    // The gateway may answer and hang up before it has read everything: only its answer counts.
    stream.write_all(request).await.ok();
    let mut answer = Vec::new();
    // The end of the answer, not of the connection: a gateway that refuses a body unread stays for a while, so that
    // the answer is not lost in a reset.
    while !is_whole(&answer) && stream.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {}
    String::from_utf8(answer).expect("the gateway answers in UTF-8")
}

fn is_whole(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse().is_ok_and(|length: usize| body.len() >= length))
}

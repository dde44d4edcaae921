//! SIGTERM: what is in flight ends well, and then the gateway does.

use postroom_tests::{
    doubles::{Double, Gate, Receiver, Reply},
    harness::{Config, body, eventually},
};
use tokio::net::TcpStream;

use crate::support::{retry, start};

#[tokio::test]
async fn sigterm_lets_a_slow_delivery_end_and_takes_nothing_new() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/"), "").route("all", "", "target");
    let mut gateway = start(config).await;
    let gate = Gate::new();
    target.script([Reply::status(200).behind(&gate)]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    target.at_least(1).await;

    gateway.ask_to_end();
    let address = gateway.address();
    eventually("the gateway to stop listening", async || TcpStream::connect(address).await.err()).await;
    gate.open();
    let status = gateway.ended().await;
    assert!(status.success(), "{status}");
    TcpStream::connect(address).await.expect_err("nothing listens any more");

    gateway.restart().await;
    let delivery = gateway.delivery(&event, "target").await;
    assert_eq!(delivery["state"], "delivered", "its outcome was recorded");
    assert_eq!((delivery["attempts_made"].as_u64(), target.requests().len()), (Some(1), 1), "{delivery}");
}

#[tokio::test]
async fn sigterm_does_not_wait_for_deliveries_that_wait_themselves() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(1, "1h")).route("all", "", "target");
    let mut gateway = start(config).await;
    target.script([503]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    gateway.delivery_in_state(&event, "target", "retrying").await;
    let status = gateway.terminate().await;
    assert!(status.success(), "{status}");

    gateway.restart().await;
    assert_eq!(gateway.delivery(&event, "target").await["state"], "retrying");
}

#[tokio::test]
async fn a_delivery_that_outlasts_the_drain_is_tried_again_after_the_next_start() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .server("drain = \"50ms\"")
        .forward("target", &target.url("/"), "")
        .route("all", "", "target");
    let mut gateway = start(config).await;
    let gate = Gate::new();
    target.script([Reply::status(200).behind(&gate)]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    target.at_least(1).await;
    let status = gateway.terminate().await;
    assert!(status.success(), "{status}");

    gateway.restart().await;
    gateway.delivery_in_state(&event, "target", "delivered").await;
    assert_eq!(target.requests().len(), 2, "at least once");
}

//! A disk that takes no more: nothing is acknowledged that is not kept, and nothing is forgotten.

use postroom_tests::{
    doubles::{Double, Gate, Receiver, Reply},
    harness::{Config, body},
};

use crate::support::start;

#[tokio::test]
async fn what_cannot_be_kept_is_not_acknowledged() {
    let gateway = start(Config::new()).await;
    let small = body::monitor_run("m", 0);
    let large = format!("{{\"collection\":{{\"item\":\"{}\"}}}}", "x".repeat(100_000));
    let kept = [gateway.accept(small.clone()).await, gateway.accept(large.clone()).await];

    gateway.fill_disk();
    for body in [&small, &large, &small] {
        let answer = gateway.post(body.clone()).await;
        answer.assert_problem(503, "unavailable");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{:?}", answer.headers);
    }
    assert_eq!(gateway.list("/api/v1/events?source=postman").await.len(), 2, "what is there can be read");

    gateway.free_disk();
    let later = [gateway.accept(small.clone()).await, gateway.accept(large.clone()).await];
    let listed = gateway.list("/api/v1/events?source=postman").await;
    let mut ids: Vec<&str> = listed.iter().map(|event| event["id"].as_str().unwrap()).collect();
    ids.reverse();
    assert_eq!(ids, [&kept[..], &later[..]].concat());
    for (id, body) in kept.iter().chain(&later).zip([&small, &large, &small, &large]) {
        assert!(gateway.ask(&format!("/api/v1/events/{id}/body")).await.body == body.as_bytes());
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_stored_is_stored_later() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/"), "").route("all", "", "target");
    let gateway = start(config).await;
    let gate = Gate::new();
    target.script([Reply::status(200).behind(&gate)]);
    let first = gateway.accept(body::numbered_run("m", 1)).await;
    let second = gateway.accept(body::numbered_run("m", 2)).await;
    target.at_least(1).await;

    gateway.fill_disk();
    gate.open();
    gateway.logs().message("outcomes could not be stored, trying again").await;
    assert_eq!(
        target.requests().len(),
        1,
        "the next one waits: after a crash now the first would come behind it"
    );
    gateway.free_disk();
    for event in [first, second] {
        gateway.delivery_in_state(&event, "target", "delivered").await;
    }
    let numbers: Vec<u64> = target.requests().iter().map(|request| body::run_number(&request.body)).collect();
    assert_eq!(numbers, [1, 2], "each went once");
}

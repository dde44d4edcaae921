//! Power cuts and disks that fail: what was answered is on the platter, not only in the system's memory.

use postroom_faulty_disk::{Call, Disk, Effect, Keep, Random};
use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, TestGateway, body, eventually},
};

use crate::support::{program, retry};

async fn start(target: &Double) -> (TestGateway, Disk) {
    let config =
        Config::new().forward("target", &target.url("/"), &retry(50, "200ms")).route("all", "", "target");
    TestGateway::start_on_faulty_disk(&program(), config).await
}

/// SIGKILL, and everything that was not synced is gone.
async fn cut_power(gateway: &mut TestGateway, disk: &Disk) {
    gateway.kill().await;
    disk.cut_power(Keep::Nothing, &mut Random::new(1)).unwrap();
    gateway.restart().await;
}

fn large(text: &str) -> String {
    format!("{{\"collection\":{{\"item\":\"{}\"}}}}", text.repeat(100_000))
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut_byte_for_byte() {
    let target = Double::start_down(Receiver);
    let (mut gateway, disk) = start(&target).await;
    let bodies: Vec<String> = (1..=20).map(|number| body::numbered_run("m", number)).collect();
    let bodies: Vec<String> = bodies.into_iter().chain([large("a"), large("b"), large("a")]).collect();
    let mut events = Vec::new();
    for body in &bodies {
        events.push(gateway.accept(body.clone()).await);
    }
    cut_power(&mut gateway, &disk).await;
    for (event, body) in events.iter().zip(&bodies) {
        assert!(gateway.ask(&format!("/api/v1/events/{event}/body")).await.body == *body, "{event}");
        assert_eq!(gateway.delivery(event, "target").await["state"].as_str().map(str::is_empty), Some(false));
    }
}

#[tokio::test]
async fn what_was_delivered_is_not_delivered_again_after_a_power_cut() {
    let target = Double::start(Receiver);
    let (mut gateway, disk) = start(&target).await;
    for number in 1..=10 {
        gateway.accept(body::numbered_run("m", number)).await;
    }
    gateway.settled().await;
    cut_power(&mut gateway, &disk).await;
    gateway.accept(body::numbered_run("m", 11)).await;
    gateway.settled().await;
    let numbers: Vec<u64> = target.requests().iter().map(|request| body::run_number(&request.body)).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
}

/// The system takes what it could not write for written, and no later sync brings it to the disk.
#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged_that_a_power_cut_can_take() {
    for forget in [false, true] {
        let target = Double::start_down(Receiver);
        let (mut gateway, disk) = start(&target).await;
        disk.forget_after_failed_sync(forget).unwrap();
        let mut acknowledged = vec![gateway.accept(body::numbered_run("m", 1)).await];
        disk.fail(Call::Sync, 0, Some(3), Effect::BrokenDisk).unwrap();
        gateway.post(body::numbered_run("m", 2)).await.assert_problem(503, "unavailable");
        let next = eventually("it to go on by itself when the disk is well again", async || {
            let answer = gateway.post(body::numbered_run("m", 3)).await;
            (answer.status == 202).then(|| answer.json()["event_id"].as_str().unwrap().to_owned())
        });
        acknowledged.push(next.await);
        cut_power(&mut gateway, &disk).await;
        let mut listed = gateway.list("/api/v1/events?source=postman").await;
        listed.reverse();
        let listed: Vec<&str> = listed.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(listed, acknowledged, "neither less nor what was refused");
    }
}

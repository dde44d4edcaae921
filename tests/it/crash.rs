//! SIGKILL at the worst moments: no accepted event is lost, and each monitor's runs stay in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use postroom_tests::{
    doubles::{Double, Receiver, Request},
    harness::{Answer, Config, TestGateway, body, eventually},
};
use tokio::task::JoinSet;

use crate::support::start;

/// Enough attempts for a target that stays down while a test does its work, and a short wait once it is back.
const PATIENT: &str = "retry = [\"50ms\", \"100ms\", \"200ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \
    \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \
    \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\", \"400ms\"]";

fn to(target: &Double) -> Config {
    Config::new().forward("target", &target.url("/"), PATIENT).route("all", "", "target")
}

/// The runs of each monitor in the order of their first arrival. An event may arrive again after a crash; what
/// counts is that nothing overtakes.
fn first_arrivals(requests: &[Request]) -> BTreeMap<String, Vec<u64>> {
    let mut arrivals: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in requests {
        let numbers = arrivals.entry(request.monitor().expect("only runs are sent")).or_default();
        let number = body::run_number(&request.body);
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    arrivals
}

#[tokio::test]
async fn events_that_wait_for_a_target_survive_kill_9_in_order() {
    const MONITORS: u64 = 20;
    const RUNS: u64 = 10;
    let mut target = Double::start_down(Receiver);
    let mut gateway = start(to(&target)).await;
    for number in 1..=RUNS {
        for monitor in 0..MONITORS {
            gateway.accept(body::numbered_run(&format!("m{monitor}"), number)).await;
        }
    }
    gateway.kill().await;
    gateway.restart().await;
    assert!(target.requests().is_empty());
    target.up();

    target.at_least(200).await;
    gateway.settled().await;
    let arrivals = first_arrivals(&target.requests());
    assert_eq!(arrivals.len() as u64, MONITORS);
    for (monitor, numbers) in arrivals {
        assert_eq!(numbers, (1..=RUNS).collect::<Vec<_>>(), "{monitor}");
    }
    assert_eq!(gateway.list("/api/v1/deliveries?state=delivered").await.len() as u64, MONITORS * RUNS);
}

#[tokio::test]
async fn every_event_that_was_accepted_during_steady_intake_survives_kill_9() {
    const SENDERS: u64 = 8;
    const ACCEPTED_MIN: u64 = 200;
    let target = Double::start(Receiver);
    let mut gateway = start(to(&target)).await;

    let accepted = Arc::new(AtomicU64::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(send_until_it_dies(gateway.hook(), format!("m{sender}"), Arc::clone(&accepted)));
    }
    eventually("enough events to be accepted", async || {
        (accepted.load(Ordering::Relaxed) >= ACCEPTED_MIN).then_some(())
    })
    .await;
    gateway.kill().await;
    let acknowledged = senders.join_all().await;
    gateway.restart().await;
    gateway.settled().await;

    let arrivals = first_arrivals(&target.requests());
    for (monitor, events) in acknowledged {
        check_all_there(&gateway, &events).await;
        let numbers = &arrivals[&monitor];
        assert!(numbers.is_sorted(), "{monitor}: {numbers:?}");
        let arrived: BTreeSet<u64> = numbers.iter().copied().collect();
        let missing: Vec<u64> =
            (1..=events.len() as u64).filter(|number| !arrived.contains(number)).collect();
        assert!(missing.is_empty(), "{monitor}: accepted and never delivered: {missing:?}");
    }
}

/// Sends run after run of a monitor until the gateway is gone, and gives the events that it acknowledged.
async fn send_until_it_dies(
    hook: reqwest::RequestBuilder,
    monitor: String,
    accepted: Arc<AtomicU64>,
) -> (String, Vec<String>) {
    let mut events = Vec::new();
    for number in 1.. {
        let request = hook.try_clone().expect("a request without a body can be cloned");
        let Ok(answer) = Answer::try_to(request.body(body::numbered_run(&monitor, number))).await else {
            break;
        };
        assert_eq!(answer.status, 202, "{}", answer.text());
        events.push(answer.json()["event_id"].as_str().expect("an event has an id").to_owned());
        accepted.fetch_add(1, Ordering::Relaxed);
    }
    (monitor, events)
}

async fn check_all_there(gateway: &TestGateway, events: &[String]) {
    for event in events {
        let found = gateway.get(&format!("/api/v1/events/{event}")).await;
        assert_eq!(found["deliveries"][0]["state"], "delivered", "{found}");
    }
}

/// A plugin that outlived its gateway could deliver an old event behind a newer one of the next gateway.
#[tokio::test]
async fn plugins_die_with_their_gateway() {
    let target = Double::start(Receiver);
    let mut gateway = start(to(&target)).await;
    let plugin =
        gateway.logs().message("plugin ready").await["pid"].as_u64().expect("the log tells the process");
    assert!(is_running(plugin));
    gateway.kill().await;
    eventually("the plugin's process to end", async || (!is_running(plugin)).then_some(())).await;
}

fn is_running(process: u64) -> bool {
    // The state follows the name, which is in parentheses. A process that nobody has waited for yet is a zombie.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

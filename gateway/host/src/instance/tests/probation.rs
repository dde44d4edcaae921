//! An event that ends the plugin's process is found among the others, and they go on.

use std::sync::Arc;

use postroom_core::{event::Event, id::EventId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{plugin_health::HealthState, testing::compile};

const TOGETHER: u8 = 32;
const POISON: u8 = 7;

fn poisoned() -> Compiled {
    let together = format!("-DTOGETHER={TOGETHER}");
    compile(include_str!("../../testing/poison.c"), &["-shared", "-fPIC", "-pthread", &together])
}

fn attempt(number: u8, attempt: u32, body: &'static str) -> PluginDelivery {
    let delivery = delivery(body);
    let event = Event { id: EventId::from_bytes([number; 16]), ..(*delivery.event).clone() };
    PluginDelivery { event: Arc::new(event), attempt, ..delivery }
}

/// Offers an event as the dispatcher does, until it has its end; gives all that its attempts came to.
async fn to_its_end(instance: Instance, number: u8, first: u32, body: &'static str) -> Vec<Delivered> {
    let mut ends = Vec::new();
    for made in first.. {
        let end = loop {
            let end = instance.deliver(attempt(number, made, body)).await;
            if end != Delivered::NotAccepted {
                break end;
            }
        };
        let again = matches!(&end, Delivered::Interrupted(outcome) if outcome.kind == OutcomeKind::Retry);
        ends.push(end);
        if !again {
            break;
        }
    }
    ends
}

/// Delivers one event after the other as soon as the process has ended once, until `done`; gives how many.
async fn pass_by(instance: Instance, number: u8, done: CancellationToken) -> u32 {
    let again = |status: &Status| matches!(status, Status::Ready { restarts: 1.., .. }).then_some(());
    status(&instance, again).await;
    let mut delivered = 0;
    while !done.is_cancelled() {
        let ends = to_its_end(instance.clone(), number, 2, "fine").await;
        // Never inside together with what ends the process.
        assert!(
            matches!(&*ends, [Delivered::Outcome(end)] if end.kind == OutcomeKind::Delivered),
            "{ends:?}"
        );
        delivered += 1;
    }
    delivered
}

#[tokio::test]
async fn one_event_among_many_that_ends_the_process_is_found_and_the_others_go_on() {
    let plugin = poisoned();
    let instance = Instance::start(InstanceConfig { concurrency: 64, ..config(&plugin, "") });
    let (mut suspects, mut others, done) = (JoinSet::new(), JoinSet::new(), CancellationToken::new());
    for number in 0..TOGETHER {
        let body = if number == POISON { "poison" } else { "fine" };
        let ends = to_its_end(instance.clone(), number, 1, body);
        suspects.spawn(async move { (number, ends.await) });
    }
    for number in 0..4 {
        others.spawn(pass_by(instance.clone(), 100 + number, done.clone()));
    }
    for (number, ends) in suspects.join_all().await {
        let (last, before) = ends.split_last().unwrap();
        if number == POISON {
            let Delivered::Interrupted(outcome) = last else { panic!("{last:?}") };
            assert_eq!((outcome.kind, &*outcome.code), (OutcomeKind::Permanent, "plugin_crashed"));
            assert!(
                outcome.message.contains("3 times") && outcome.message.contains("signal 6"),
                "{outcome:?}"
            );
            assert_eq!(before.len(), 3, "once with the others and twice alone before: {ends:?}");
        } else {
            let Delivered::Outcome(outcome) = last else { panic!("{last:?}") };
            assert_eq!((outcome.kind, &*outcome.message), (OutcomeKind::Delivered, "1"), "it was alone");
            assert_eq!(before.len(), 1, "whoever was beside the poison lost one attempt: {ends:?}");
        }
    }
    done.cancel();
    for delivered in others.join_all().await {
        assert!(delivered > 0, "others go in between");
    }
    let restarts = |status: &Status| match status {
        Status::Ready { restarts, .. } => Some(*restarts),
        _ => None,
    };
    assert_eq!(status(&instance, restarts).await, 4);
}

/// A plugin that every event ends lives long where events are rare.
#[tokio::test]
async fn long_life_without_a_delivery_is_not_health() {
    let wait = Duration::from_millis(200);
    let backoff = Backoff { first: wait, max: wait, healthy_after: Duration::ZERO, ..Backoff::default() };
    let instance = Instance::start(InstanceConfig { backoff, ..config(&PLUGIN, "") });
    let failures = async || {
        ready_pid(&instance).await;
        instance.deliver(delivery("abort")).await;
        status(&instance, |status| match status {
            Status::Backoff { failures, restarts, .. } => Some((*failures, *restarts)),
            _ => None,
        })
        .await
    };
    assert_eq!(failures().await, (1, 0));
    assert_eq!(failures().await, (2, 1));
    assert_eq!(failures().await, (3, 2));
    ready_pid(&instance).await;
    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
    assert_eq!(failures().await, (1, 3), "it was well in between");
}

#[tokio::test]
async fn a_crash_loop_is_told_once() {
    let log = Log::of("looping");
    let instance = Instance::start(InstanceConfig {
        destination: DestinationName::new("looping"),
        ..config(&PLUGIN, "crash-create")
    });
    let failing = |status: &Status| matches!(status, Status::Backoff { failures: 7.., .. }).then_some(());
    status(&instance, failing).await;
    let told = log.text().lines().filter(|line| line.contains("plugin is in a crash loop")).count();
    assert_eq!(told, 1, "{}", log.text());
}

#[tokio::test]
async fn the_status_shows_what_the_plugin_says_of_itself() {
    let instance = Instance::start(config(&PLUGIN, "bad-health"));
    let said = |status: &Status| match status {
        Status::Ready { health: Some(health), .. } => Some(health.state),
        _ => None,
    };
    assert_eq!(status(&instance, said).await, HealthState::Unavailable);
}

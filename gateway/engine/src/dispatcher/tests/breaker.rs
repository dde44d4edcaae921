//! A destination that keeps failing is probed instead of being hammered.

use std::time::Duration;

use postroom_core::{
    delivery::DeliveryState,
    lane::GateState,
    outcome::{Outcome, OutcomeKind},
};
use postroom_host::Delivered;
use tokio::time::Instant;

use super::{
    actor::{Scripted, fails},
    stage::{Setup, Stage},
};

/// Forty lanes with a few events each, and a retry schedule that takes an hour to give up.
async fn many_lanes() -> (Stage, Vec<String>) {
    let retry = vec![Duration::from_secs(600); 20];
    let mut stage = Setup { retry, ..Setup::keep(Scripted::default()) }.start();
    stage.down(true);
    let lane = |number: u8| char::from(b'A' + number);
    let names: Vec<String> =
        (0..40).flat_map(|number| (1..=3).map(move |event| format!("{}{event}", lane(number)))).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    (stage, names)
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_a_probe_now_and_then() {
    let (mut stage, _) = many_lanes().await;
    stage.load_when(|load| load.gate == GateState::Breaker).await;
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    let attempts = stage.seen_so_far().len();
    assert!((50..=90).contains(&attempts), "{attempts} attempts in an hour");
}

#[tokio::test(start_paused = true)]
async fn recovery_drains_all_lanes() {
    let (mut stage, names) = many_lanes().await;
    stage.load_when(|load| load.gate == GateState::Breaker).await;
    tokio::time::sleep(Duration::from_secs(30 * 60)).await;
    stage.seen_so_far();
    stage.down(false);
    let began = Instant::now();
    for name in &names {
        stage.until(name, DeliveryState::Delivered).await;
    }
    let took = began.elapsed();
    assert!(
        took <= Duration::from_secs(120),
        "lanes waited {took:?}, so for their retries and not for the probe"
    );
    assert_eq!(stage.seen_so_far().len(), names.len(), "each goes once");
    assert_eq!(stage.load().await.gate, GateState::Open);
}

/// The remote side asks for a second, the policy wants ten minutes, which decides.
#[tokio::test(start_paused = true)]
async fn recovery_drains_lanes_that_were_asked_for_less_than_they_wait() {
    let names = ["A1", "B1", "C1", "D1", "E1", "F1"];
    let mut script = Scripted::default();
    for name in names {
        let busy = Outcome::retry("http_503", "busy");
        let asked = Outcome { retry_after: Some(Duration::from_secs(1)), ..busy };
        script = script.first(name, [Delivered::Outcome(asked)]);
    }
    let mut stage = Setup { retry: vec![Duration::from_secs(600); 20], ..Setup::keep(script) }.start();
    stage.accept(&names).await;
    for name in names {
        stage.until(name, DeliveryState::Retrying).await;
    }
    stage.accept(&["g1"]).await;
    let began = Instant::now();
    for name in names {
        stage.until(name, DeliveryState::Delivered).await;
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_lane_that_fails_for_ever_does_not_open_it() {
    let script = Scripted::default().first("a1", std::array::from_fn::<_, 20, _>(|_| fails()));
    let mut stage = Setup { retry: vec![Duration::from_secs(1); 30], ..Setup::keep(script) }.start();
    stage.accept(&["a1"]).await;
    stage.seen(20).await;
    assert_eq!(stage.load().await.gate, GateState::Open);
    stage.accept(&["b1"]).await;
    stage.until("b1", DeliveryState::Delivered).await;
}

/// Its process held them all when it ended, and is started again with waits of its own.
#[tokio::test(start_paused = true)]
async fn a_plugin_that_breaks_down_says_nothing_about_the_remote_side() {
    let names = ["A1", "B1", "C1", "D1", "E1", "F1"];
    let mut script = Scripted::default();
    for name in names {
        let crashed = Outcome::retry("plugin_crashed", "signal 6");
        script = script.first(name, [Delivered::Interrupted(crashed)]);
    }
    let poison = Outcome { kind: OutcomeKind::Permanent, ..Outcome::retry("plugin_crashed", "three times") };
    script = script.first("G1", [Delivered::Interrupted(poison)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&names).await;
    for name in names {
        stage.until(name, DeliveryState::Retrying).await;
    }
    assert_eq!(stage.load().await.gate, GateState::Open);
    assert!(stage.load().await.trouble.is_none());
    // Nor does one that is given up for it say that the remote side is well.
    stage.down(true);
    stage.accept(&["H1", "I1", "J1", "K1"]).await;
    for name in ["H1", "I1", "J1", "K1"] {
        stage.until(name, DeliveryState::Retrying).await;
    }
    stage.accept(&["G1"]).await;
    stage.until("G1", DeliveryState::Dead).await;
    stage.accept(&["L1"]).await;
    stage.load_when(|load| load.gate == GateState::Breaker).await;
}

//! How plugins say that they are, by the way through a process.

use postroom_core::time::Timestamp;

use super::*;
use crate::plugin_health::{HealthState, PluginHealth};

#[tokio::test]
async fn a_plugin_that_hangs_in_health_is_ended() {
    let limits = Limits { health: Duration::from_millis(100), ping: Duration::from_secs(60), ..impatient() };
    let process = Process::start(&launch(&PLUGIN, "hang-health", limits)).await.unwrap();
    // It delivers meanwhile: only its health hangs.
    assert_eq!(message(&process, "any").await, "3 bytes");
    check_killed(&process.exited().await, "it did not say how it is for 100ms");
}

#[tokio::test]
async fn what_a_plugin_says_of_itself_is_kept_and_asked_again() {
    let limits = Limits { health_interval: Duration::from_millis(20), ..impatient() };
    let process = Process::start(&launch(&PLUGIN, "bad-health", limits)).await.unwrap();
    let mut health = process.health();
    let said = health.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(said.since > Timestamp::EPOCH);
    let detail = json!({ "message": "no disk" }).as_object().cloned();
    assert_eq!(said, PluginHealth { state: HealthState::Unavailable, detail, since: said.since });

    let process = Process::start(&launch(&PLUGIN, "", limits)).await.unwrap();
    let mut health = process.health();
    let state = health.wait_for(Option::is_some).await.unwrap().as_ref().unwrap().state;
    assert_eq!(state, HealthState::Ok);
}

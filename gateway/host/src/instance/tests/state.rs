//! Durable state, from a plugin in a process of its own.

use std::sync::Arc;

use super::*;
use crate::plugin_state::{PluginState, StateOperation, StateReply};

/// A plugin that may wait in `deliver`, at most `concurrency` at once.
fn waiting_plugin() -> Compiled {
    scripted("POSTROOM_PF_BLOCKING", "POSTROOM_CAP_STATE")
}

async fn kept(state: &MemoryState, key: &str) -> String {
    match state.run(StateOperation::Get { key: key.to_owned() }).await {
        StateReply::Done { value, .. } => String::from_utf8(value.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_plugin_keeps_reads_lists_and_removes() {
    let plugin = waiting_plugin();
    let instance = Instance::start(config(&plugin, ""));
    assert_eq!(
        outcome(&instance, "wait").await.message,
        "absent -4 v0; put 0 v1; get 0 v1 one; put absent -5 v1; put v1 0 v2; other 0 v3; list 0 v0 k/1,k/2,; \
         delete v1 -5 v2; delete 0 v0; gone -4 v0"
    );
}

#[tokio::test]
async fn what_is_no_operation_is_told_at_once() {
    let plugin = waiting_plugin();
    let instance = Instance::start(config(&plugin, ""));
    assert_eq!(
        outcome(&instance, "wait wrong").await.message,
        "no key -1 v99; long key -6 v99; line feed -1 v99; no utf-8 -1 v99; large value -6 v99; unknown -1 v99; \
         short struct -1 v99; largest value 0 v1"
    );
}

#[tokio::test]
async fn waiting_is_denied_where_deliver_must_not_block() {
    let instance = start();
    assert_eq!(outcome(&instance, "wait once").await.message, "once -7 v99");
}

#[tokio::test]
async fn a_plugin_finds_what_it_kept_before_it_crashed() {
    let state = Arc::new(MemoryState::default());
    let config = config(&PLUGIN, "");
    let instance = Instance::start(InstanceConfig { state: Some(Arc::clone(&state) as _), ..config });
    assert_eq!(outcome(&instance, "count 1 1").await.message, "counted");
    assert_eq!(outcome(&instance, "abort").await.code, "plugin_crashed");
    assert_eq!(outcome(&instance, "count 1 1").await.message, "counted");
    assert_eq!(kept(&state, "n").await, "2");
}

#[tokio::test]
async fn increments_that_race_all_count() {
    let state = Arc::new(MemoryState::default());
    let config = config(&PLUGIN, "");
    let instance = Instance::start(InstanceConfig { state: Some(Arc::clone(&state) as _), ..config });
    assert_eq!(outcome(&instance, "count 2000 20").await.message, "counted");
    assert_eq!(kept(&state, "n").await, "2000");
}

#[tokio::test]
async fn a_plugin_may_use_its_state_while_it_is_made() {
    let state = Arc::new(MemoryState::default());
    let config = config(&PLUGIN, "state-create");
    let instance = Instance::start(InstanceConfig { state: Some(Arc::clone(&state) as _), ..config });
    ready_pid(&instance).await;
    assert_eq!(kept(&state, "born").await, "yes");
}

#[tokio::test]
async fn without_a_store_a_plugin_is_told_so_and_works_on() {
    let instance = Instance::start(InstanceConfig { state: None, ..config(&PLUGIN, "") });
    assert_eq!(outcome(&instance, "ask").await.message, "-8");
    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
}

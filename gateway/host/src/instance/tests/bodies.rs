//! Bodies on their way into a process: within frames, and as files.

use std::{os::unix::fs::FileExt, sync::Arc};

use postroom_core::outcome::OutcomeKind;

use super::{outcome, outcome_of, ready_pid, start};
use crate::{
    body::PluginBody,
    testing::{delivery_of, file_delivery, read_only},
};

#[tokio::test]
async fn large_bodies_and_many_deliveries_get_through() {
    let instance = start();
    let large = outcome_of(&instance, delivery_of(PluginBody::Bytes(vec![b'x'; 20_000_000].into()))).await;
    assert_eq!(large.message, "20000000 bytes");
    let mut many = tokio::task::JoinSet::new();
    for bytes in 100..400 {
        let instance = instance.clone();
        many.spawn(async move {
            let delivered =
                outcome_of(&instance, delivery_of(PluginBody::Bytes(vec![b'x'; bytes].into()))).await;
            assert_eq!(delivered.message, format!("{bytes} bytes"));
        });
    }
    many.join_all().await;
}

/// A body for the plugin to add up, and what it says then.
fn summed(bytes: usize) -> (Vec<u8>, String) {
    let mut body = b"sum ".to_vec();
    body.extend((0..bytes).map(|at| u8::try_from(at % 251).unwrap()));
    let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
    let message = format!("{} bytes, sum {sum}", body.len());
    (body, message)
}

#[tokio::test]
async fn bodies_that_are_files_arrive_whole_among_others() {
    let instance = start();
    let mut many = tokio::task::JoinSet::new();
    for at in 0..60_usize {
        let (body, expected) = summed(at * 10_000);
        let delivery =
            if at % 3 == 0 { delivery_of(PluginBody::Bytes(body.into())) } else { file_delivery(&body) };
        let instance = instance.clone();
        many.spawn(async move { assert_eq!(outcome_of(&instance, delivery).await.message, expected) });
    }
    many.join_all().await;
    assert_eq!(outcome_of(&instance, file_delivery(b"")).await.message, "0 bytes");
}

#[tokio::test]
async fn a_plugin_keeps_no_descriptor_of_a_body() {
    let instance = start();
    let pid = ready_pid(&instance).await;
    let descriptors = async || outcome(&instance, "descriptors").await.message;
    let before = descriptors().await;
    for _ in 0..20 {
        outcome_of(&instance, file_delivery(b"body")).await;
    }
    assert_eq!(descriptors().await, before);
    assert_eq!(ready_pid(&instance).await, pid);
}

#[tokio::test]
async fn a_file_that_is_not_the_body_costs_the_delivery_a_retry_and_the_plugin_nothing() {
    let instance = start();
    let pid = ready_pid(&instance).await;
    let short = PluginBody::File { file: read_only(b"four").into(), bytes: 5 };
    let writable = tempfile::tempfile().unwrap();
    let writable = PluginBody::File { file: writable.into(), bytes: 0 };
    for (body, expected) in [
        (short, "the file of the body has 4 bytes instead of 5: something has changed it"),
        (writable, "the file of the body is open for writing: open it for reading only"),
    ] {
        let outcome = outcome_of(&instance, delivery_of(body)).await;
        assert_eq!((outcome.kind, &*outcome.code), (OutcomeKind::Retry, "body_unreadable"));
        assert_eq!(outcome.message, expected);
    }
    assert_eq!(ready_pid(&instance).await, pid);
}

#[tokio::test]
async fn a_plugin_that_leaves_no_room_for_a_descriptor_costs_itself_a_restart() {
    let instance = start();
    let first = ready_pid(&instance).await;
    outcome(&instance, "no descriptors").await;
    let lost = outcome_of(&instance, file_delivery(b"body")).await;
    assert_eq!((lost.kind, &*lost.code), (OutcomeKind::Retry, "plugin_crashed"));
    assert!(lost.message.contains("exit code 1"), "{}", lost.message);
    assert_eq!(outcome_of(&instance, file_delivery(b"body")).await.message, "4 bytes");
    assert_ne!(ready_pid(&instance).await, first);
}

#[tokio::test]
async fn a_plugin_that_writes_into_the_file_of_a_body_crashes_and_changes_nothing() {
    let instance = start();
    let file = Arc::new(read_only(b"write"));
    let writes = delivery_of(PluginBody::File { file: Arc::clone(&file), bytes: 5 });
    let crashed = outcome_of(&instance, writes).await;
    assert!(crashed.code == "plugin_crashed" && crashed.message.contains("signal 11"), "{crashed:?}");
    let mut kept = [0; 5];
    file.read_exact_at(&mut kept, 0).unwrap();
    assert_eq!(&kept, b"write");
}

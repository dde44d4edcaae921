//! What needs the real store: many lanes at the start, bodies as files, files that are lost.

use std::{path::Path, sync::Arc, time::Duration};

use postroom_core::delivery::DeliveryState;
use postroom_store::{Options, SqliteStore, Store};

use super::{
    actor::Scripted,
    stage::{Setup, Stage},
};
use crate::CommitFeed;

fn stage(folder: &Path) -> Stage {
    let opened = SqliteStore::open(Options::new(folder.join("test.db")));
    let (store, commits, newest) = opened.unwrap();
    let patience = Duration::from_secs(30);
    let setup = Setup { patience, ..Setup::keep(Scripted::default()) };
    setup.stopped(Arc::new(store) as Arc<dyn Store>, CommitFeed { commits, newest })
}

#[tokio::test]
async fn what_came_in_before_the_start_is_delivered_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    // Far more commits than the feed holds, and more of a lane than memory holds: the rest has to be read.
    let names: Vec<String> = (0..150).map(|number| format!("a{number}")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.start();
    assert_eq!(stage.seen(150).await, names);
}

#[tokio::test]
async fn a_lane_longer_than_its_window_keeps_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    stage.start();
    let names: Vec<String> = (0..150).map(|number| format!("a{number}")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(stage.seen(150).await, names);
}

#[tokio::test]
async fn a_large_body_reaches_its_plugin_as_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    stage.start();
    stage.accept_large("a1").await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.until("a1", DeliveryState::Delivered).await;
}

#[tokio::test]
async fn a_body_that_is_lost_does_not_hold_up_its_lane() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    stage.accept_large("a1").await;
    stage.accept(&["a2"]).await;
    std::fs::remove_dir_all(folder.path().join("test.db.blobs")).unwrap();
    stage.start();
    assert_eq!(stage.seen(1).await, ["a2"]);
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Dead, 1));
}

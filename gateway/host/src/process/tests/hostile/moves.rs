//! What becomes of a plugin whose folders are moved away and made anew.

use tokio::sync::{mpsc, oneshot, watch};

use super::*;
use crate::{
    instance::Phase,
    supervisor::{Backoff, Command, Status, StopRequest, Supervisor},
};

fn quick() -> Limits {
    let soon = Duration::from_millis(10);
    Limits { ping_interval: soon, first_move: Duration::ZERO, ..Limits::default() }
}

/// A plugin that may write in this folder.
fn launch_with(root: &Path) -> Launch {
    Launch {
        config: json!({ "root": root }),
        limits: quick(),
        ..hostile_launch(&OFFLINE, &program(), Grant::default())
    }
}

/// Moves the folder away and makes it anew.
fn make_anew(root: &Path) {
    fs::rename(root, root.with_extension("old")).unwrap();
    fs::create_dir(root).unwrap();
}

#[tokio::test]
async fn a_folder_that_is_made_anew_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("backups");
    let process = Process::start(&launch_with(&root)).await.unwrap();
    make_anew(&root);
    process.places_moved().await;
}

#[tokio::test]
async fn a_plugin_whose_folder_is_made_anew_goes_on_in_a_process_that_may_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("backups");
    let write = leaked(&format!("write {}", root.join("new").display()));
    let (phase_sender, mut phase) = watch::channel(Phase::Waiting);
    let (status_sender, status) = watch::channel(Status::Starting);
    let (commands, requests) = mpsc::channel(1);
    let supervisor =
        Supervisor::new(launch_with(&root), Backoff::default(), phase_sender, status_sender, requests);
    let supervisor = tokio::spawn(supervisor.run());
    let mut serving = async |other_than: u32| {
        let is_other = |phase: &Phase| matches!(phase, Phase::Ready(process) if process.pid != other_than);
        let Phase::Ready(process) = phase.wait_for(is_other).await.unwrap().clone() else {
            unreachable!("only those are waited for")
        };
        process
    };
    let first = serving(0).await;
    assert_eq!(message(&first, write).await, "ok");
    make_anew(&root);
    let second = serving(first.pid).await;
    assert_eq!(message(&second, write).await, "ok");
    assert_eq!(first.exited().await, super::super::Exit::Code(0));
    let Status::Ready { restarts, .. } = *status.borrow() else { panic!("{:?}", status.borrow()) };
    assert_eq!(restarts, 0, "nothing has failed");

    let (done, stopped) = oneshot::channel();
    let stop = StopRequest { deadline: Duration::from_secs(60), done };
    commands.send(Command::Stop(stop)).await.unwrap();
    stopped.await.unwrap();
    supervisor.await.unwrap();
}

#[tokio::test]
async fn a_folder_that_stays_where_it_is_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("backups");
    let process = Process::start(&launch_with(&root)).await.unwrap();
    let write = leaked(&format!("write {}", root.join("new").display()));
    // It looks again and again meanwhile.
    let deliver = async {
        for _ in 0..300 {
            assert_eq!(message(&process, write).await, "ok");
        }
    };
    tokio::select! {
        () = process.places_moved() => panic!("nothing has moved"),
        () = deliver => {}
    }
}

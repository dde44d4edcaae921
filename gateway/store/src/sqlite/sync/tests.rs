mod following;

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Condvar, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use postroom_core::{delivery::DeliveryState, id::DeliveryId, limits::INLINE_BODY_BYTES_MAX};
use postroom_faulty_disk as faulty;
use rusqlite::Connection;

use super::*;
use crate::{
    Body, DeliveryFilter, Expected, NewEvent, NewReplay, Pause, Prune, StateAnswer, StateBounds, StateChange,
    StateWrite, Store,
    sqlite::{
        Opened, Options, SqliteStore,
        log::{Disk, System},
        tests::{Scratch, begin},
    },
    testing::{accept, at, change, destination, event_id, marked, new_event, waiting, with_body},
};

/// A disk that can be held up and made to fail.
#[derive(Debug, Default)]
struct TestDisk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_held: bool,
    /// Syncs that have begun.
    begun: usize,
    /// Syncs that fail from now on.
    failures: usize,
    /// Fails for this file alone, by its inode.
    only: Option<u64>,
    /// A failing sync loses the end of this file.
    lossy: Option<PathBuf>,
}

impl TestDisk {
    fn set(&self, set: impl FnOnce(&mut State)) {
        set(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn fail(&self, failures: usize) {
        self.set(|state| state.failures = failures);
    }

    /// Waits until so many syncs have begun.
    fn wait_for_syncs(&self, syncs: usize) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| state.begun < syncs).unwrap());
    }
}

impl Disk for TestDisk {
    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.begun += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| state.is_held).unwrap();
        let concerned = state.only.is_none_or(|inode| file.metadata().unwrap().ino() == inode);
        if concerned && state.failures > 0 {
            state.failures -= 1;
            if let Some(path) = &state.lossy {
                let file = File::options().write(true).open(path).unwrap();
                file.set_len(file.metadata().unwrap().len() - 1).unwrap();
            }
            return Err(io::Error::from_raw_os_error(5));
        }
        drop(state);
        file.sync_data()
    }
}

fn open_on(scratch: &Scratch, disk: &Arc<TestDisk>, tuning: Tuning) -> Opened {
    let disk: Arc<dyn Disk> = Arc::<TestDisk>::clone(disk);
    SqliteStore::open_on(Options::new(scratch.path()), disk, tuning).unwrap()
}

fn open(scratch: &Scratch) -> (Opened, Arc<TestDisk>) {
    let disk = Arc::new(TestDisk::default());
    let tuning = Tuning { restore_interval: Duration::from_millis(1), ..Tuning::default() };
    (open_on(scratch, &disk, tuning), disk)
}

fn log(scratch: &Scratch) -> PathBuf {
    open::beside(&scratch.path(), "-wal")
}

async fn until_it_goes_on(store: &SqliteStore) {
    while store.check().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_is_told_before_the_log_is_on_disk_and_the_writer_goes_on_meanwhile() {
    let scratch = Scratch::new();
    let ((store, mut feed, highest), disk) = open(&scratch);
    disk.set(|state| state.is_held = true);
    let mut first = store.accept(new_event(1, "k", &["d"]));
    assert!(begin(&mut first).await.is_pending());
    disk.wait_for_syncs(1);
    let mut second = store.accept(new_event(2, "k", &["d"]));
    assert!(begin(&mut second).await.is_pending());
    while store.event(event_id(2)).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(begin(&mut first).await.is_pending());
    assert!(feed.try_recv().is_err());
    assert_eq!(*highest.borrow(), None);
    assert!(waiting_now(&store).await.is_empty(), "what a crash can take back is not delivered");

    disk.set(|state| state.is_held = false);
    second.await.unwrap();
    let first = begin(&mut first).await;
    assert!(first.is_ready(), "answers come in the order of the commits");
    let told = [feed.try_recv().unwrap(), feed.try_recv().unwrap()];
    assert_eq!(told.map(|commit| commit.first.get()), [1, 2]);
    assert_eq!(highest.borrow().map(DeliveryId::get), Some(2));
    assert_eq!(waiting_now(&store).await.len(), 2);
}

async fn waiting_now(store: &SqliteStore) -> Vec<DeliveryId> {
    crate::testing::waiting_for(store, "d").await
}

#[tokio::test]
async fn a_sync_that_fails_once_costs_nothing() {
    let scratch = Scratch::new();
    let ((store, mut feed, highest), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &["d"])).await;
    disk.fail(1);
    accept(&store, new_event(2, "k", &["d"])).await;
    accept(&store, new_event(3, "k", &["d"])).await;
    let mut told = Vec::new();
    while let Ok(commit) = feed.try_recv() {
        told.extend(commit.deliveries.iter().map(|delivery| delivery.ticket.id.get()));
    }
    assert_eq!(told, [1, 2, 3]);
    assert_eq!(highest.borrow().map(DeliveryId::get), Some(3));
    drop(store);
    assert_eq!(waiting(&scratch.store()).await.len(), 3);
}

#[tokio::test]
async fn while_the_log_is_broken_all_is_refused_and_later_nothing_of_it_is_there() {
    let scratch = Scratch::new();
    let ((store, mut feed, highest), disk) = open(&scratch);
    let kept = accept(&store, new_event(1, "k", &["d"])).await;
    disk.fail(usize::MAX);
    let large = with_body(new_event(2, "k", &["d"]), vec![0; INLINE_BODY_BYTES_MAX + 1]);
    for refused in [marked(large, "key", 1), new_event(3, "k", &["d"])] {
        let refused = store.accept(refused).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    }
    let refused = store.record(vec![change(kept[0], DeliveryState::Dead)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert!(store.event(event_id(1)).await.unwrap().is_some(), "reads go on");
    assert_eq!(waiting_now(&store).await, kept);

    disk.fail(0);
    until_it_goes_on(&store).await;
    assert!(store.event(event_id(2)).await.unwrap().is_none());
    assert!(store.event(event_id(3)).await.unwrap().is_none());
    let again = store.accept(marked(new_event(4, "k", &["d"]), "key", 1)).await.unwrap();
    assert!(!again.repeated, "the mark was taken back with its event");
    assert_eq!(waiting_now(&store).await, [kept[0], again.deliveries[0]]);
    assert_eq!(*highest.borrow(), again.deliveries.last().copied());
    let (first, then) = (feed.try_recv().unwrap(), feed.try_recv().unwrap());
    assert_eq!([first.last, then.first], [kept[0], again.deliveries[0]]);
    assert!(feed.try_recv().is_err(), "the feed tells of nothing that was refused");
    let pruned = store.prune(Prune { limit: 9, ..Prune::default() }).await.unwrap();
    assert_eq!(pruned.blobs, 1, "nor does its body stay");
}

#[tokio::test]
async fn commits_that_the_disk_has_lost_are_refused() {
    let scratch = Scratch::new();
    let ((store, _feed, _highest), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &["d"])).await;
    disk.set(|state| (state.failures, state.lossy) = (1, Some(log(&scratch))));
    let lost = store.accept(new_event(2, "k", &["d"])).await;
    assert!(matches!(lost, Err(StoreError::Unavailable { .. })), "{lost:?}");
    until_it_goes_on(&store).await;
    accept(&store, new_event(3, "k", &["d"])).await;
    drop(store);
    let store = scratch.store();
    for (n, there) in [(1, true), (2, false), (3, true)] {
        assert_eq!(store.event(event_id(n)).await.unwrap().is_some(), there, "event {n}");
    }
}

#[tokio::test]
async fn commits_that_the_disk_has_lost_are_refused_also_while_another_program_looks_in() {
    let scratch = Scratch::new();
    let ((store, _feed, _highest), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &["d"])).await;
    let foreign = Connection::open(scratch.path()).unwrap();
    let events = |connection: &Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(events(&foreign), 1);
    disk.set(|state| (state.failures, state.lossy) = (1, Some(log(&scratch))));
    let lost = store.accept(new_event(2, "k", &["d"])).await;
    assert!(matches!(lost, Err(StoreError::Unavailable { .. })), "{lost:?}");
    let refused = store.accept(new_event(3, "k", &["d"])).await;
    assert!(refused.is_err(), "while it looks in, nobody knows what the log has");
    drop(foreign);
    until_it_goes_on(&store).await;
    accept(&store, new_event(4, "k", &["d"])).await;
    drop(store);
    let store = scratch.store();
    for (n, there) in [(1, true), (2, false), (3, false), (4, true)] {
        assert_eq!(store.event(event_id(n)).await.unwrap().is_some(), there, "event {n}");
    }
}

/// Lets the disk fail for so long that what `ask` asks for is refused although it was applied.
async fn refuse<T>(store: &SqliteStore, disk: &TestDisk, ask: BoxFuture<'_, Result<T, StoreError>>) {
    disk.fail(usize::MAX);
    assert!(ask.await.is_err());
    disk.fail(0);
    until_it_goes_on(store).await;
}

#[tokio::test]
async fn state_that_a_plugin_was_told_is_not_kept_is_as_it_was() {
    let scratch = Scratch::new();
    let ((store, _feed, _highest), disk) = open(&scratch);
    let write = |key: &str, change| {
        let (key, expected) = (key.to_owned(), Expected::Any);
        store.write_plugin_state(StateWrite {
            destination: destination("d"),
            key,
            expected,
            change,
            at: at(1),
        })
    };
    let put = |value: &'static str| StateChange::Put {
        value: value.into(),
        expires_at: None,
        bounds: StateBounds { keys_max: 9, bytes_max: 99 },
    };
    let entry = async |key: &str| {
        let entry = store.plugin_state(destination("d"), key.to_owned(), at(1)).await.unwrap();
        entry.map(|entry| (entry.version, entry.value))
    };
    let first = write("k", put("one")).await.unwrap();
    let StateAnswer::Put { version } = first else { panic!("{first:?}") };
    let one = Some((version, "one".into()));
    refuse(&store, &disk, write("k", put("two"))).await;
    assert_eq!(entry("k").await, one);
    refuse(&store, &disk, write("k", StateChange::Delete)).await;
    assert_eq!(entry("k").await, one);
    refuse(&store, &disk, write("new", put("one"))).await;
    assert_eq!(entry("new").await, None);
    let next = write("k", put("three")).await.unwrap();
    assert!(matches!(next, StateAnswer::Put { version: next } if next > version), "{next:?}");
}

#[tokio::test]
async fn what_a_person_asked_for_and_was_refused_does_not_happen_later() {
    let scratch = Scratch::new();
    let ((store, mut feed, _highest), disk) = open(&scratch);
    let dead = accept(&store, new_event(1, "k", &["d"])).await[0];
    store.record(vec![change(dead, DeliveryState::Dead)]).await.unwrap();
    let new = NewReplay {
        filter: DeliveryFilter::default(),
        destinations: vec![destination("d")],
        per_second: 1,
        count: 1,
        final_by: at(1),
        by: "ann".to_owned(),
        at: at(1),
    };
    let pause = |by: &str| Some(Pause { at: at(1), by: by.to_owned() });
    let paused_by = async || {
        let pauses = store.pauses().await.unwrap();
        pauses.into_iter().map(|(_, pause)| pause.by).collect::<Vec<_>>()
    };
    feed.try_recv().unwrap();

    refuse(&store, &disk, store.retry(dead, at(1))).await;
    assert!(waiting_now(&store).await.is_empty());
    assert_eq!(store.delivery(dead).await.unwrap().unwrap().delivery.replayed_by, None, "it can go again");
    assert!(feed.try_recv().is_err());

    refuse(&store, &disk, store.begin_replay(new.clone())).await;
    assert!(store.running_replays().await.unwrap().is_empty());
    let replay = store.begin_replay(new).await.unwrap();
    refuse(&store, &disk, store.cancel_replay(replay.id, at(2))).await;
    assert_eq!(store.running_replays().await.unwrap(), std::slice::from_ref(&replay));
    store.cancel_replay(replay.id, at(3)).await.unwrap();
    refuse(&store, &disk, store.cancel_replay(replay.id, at(4))).await;
    assert!(store.running_replays().await.unwrap().is_empty(), "it was over before");

    refuse(&store, &disk, store.set_pause(destination("d"), pause("ann"))).await;
    assert!(paused_by().await.is_empty());
    store.set_pause(destination("d"), pause("ben")).await.unwrap();
    disk.fail(usize::MAX);
    let [first, second] = [pause("cid"), None].map(|pause| store.set_pause(destination("d"), pause));
    let (first, second) = futures_util::future::join(first, second).await;
    assert!(first.is_err() && second.is_err());
    disk.fail(0);
    until_it_goes_on(&store).await;
    assert_eq!(paused_by().await, ["ben"]);
}

#[tokio::test]
async fn the_file_of_a_body_goes_although_its_removal_was_refused() {
    let scratch = Scratch::new();
    let ((store, _feed, _highest), disk) = open(&scratch);
    let large = with_body(new_event(1, "k", &[]), vec![1; INLINE_BODY_BYTES_MAX + 1]);
    accept(&store, large).await;
    // The folders are looked through once after a start.
    while store.prune(Prune { limit: 9, ..Prune::default() }).await.unwrap().more {}
    let all = Prune { oldest: 9, limit: 9, ..Prune::default() };
    refuse(&store, &disk, store.prune(all.clone())).await;
    assert!(store.event(event_id(1)).await.unwrap().is_none(), "its rows are gone");
    assert_eq!(store.prune(all).await.unwrap().blobs, 1);
}

#[tokio::test]
async fn after_a_failed_sync_of_the_database_file_the_log_is_moved_anew() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let disk = Arc::new(TestDisk::default());
    let tuning = Tuning { log_due_bytes: 64 * 1024, log_restart_bytes: 64 * 1024, ..Tuning::default() };
    let (store, _feed, _highest) = open_on(&scratch, &disk, tuning);
    let inode = std::fs::metadata(scratch.path()).unwrap().ino();
    disk.set(|state| (state.failures, state.only) = (1, Some(inode)));
    let mut accepted = Vec::new();
    let mut n = 0;
    // Until the sync has failed and the log was moved after that.
    while disk.state.lock().unwrap().failures > 0
        || std::fs::metadata(scratch.path()).unwrap().len() < 1 << 20
    {
        n += 1;
        let new = with_body(new_event(n, "k", &["d"]), vec![b'x'; 30_000]);
        if store.accept(new).await.is_ok() {
            accepted.push(n);
        }
    }
    drop(store);
    let store = scratch.store();
    assert_eq!(waiting(&store).await.len(), accepted.len());
}

#[tokio::test]
async fn closing_ends_although_the_disk_fails() {
    let scratch = Scratch::new();
    let ((store, _feed, _highest), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &["d"])).await;
    disk.fail(usize::MAX);
    assert!(store.accept(new_event(2, "k", &["d"])).await.is_err());
    store.close().await;
    assert!(matches!(store.check().await, Err(StoreError::Stopped)));
    drop(store);
    assert!(scratch.store().event(event_id(1)).await.unwrap().is_some());
}

const ABORT_AFTER: u8 = 12;

/// More syncs than so few events take.
const NEVER: u64 = 1_000;

/// Its body takes some pages, so that a log of this length is moved while few events come.
const SMALL_LOG: Tuning = Tuning {
    log_due_bytes: 128 * 1024,
    log_restart_bytes: 192 * 1024,
    log_overdue_bytes: 256 * 1024,
    log_full_bytes: 64 * 1024 * 1024,
    reads_end_max: Duration::from_millis(250),
    restore_interval: Duration::from_millis(1),
};

fn event_of_some_pages(n: u8) -> NewEvent {
    with_body(new_event(n.into(), "k", &["d"]), vec![n; 30_000])
}

/// Accepts events in a process of its own, which notes the answers in `notes` and then aborts.
async fn accept_and_abort(database: PathBuf, notes: PathBuf) {
    let mut notes = File::create(notes).unwrap();
    let opened = SqliteStore::open_on(Options::new(database), Arc::new(System), SMALL_LOG);
    if let Ok((store, _feed, _highest)) = opened {
        for n in 0..ABORT_AFTER {
            if store.accept(event_of_some_pages(n)).await.is_ok() {
                notes.write_all(&[n]).unwrap();
            }
        }
    }
    std::process::abort();
}

#[tokio::test]
async fn what_was_answered_survives_an_abort_and_a_power_cut_whichever_sync_fails() {
    const DATABASE: &str = "POSTROOM_STORE_ABORT_DATABASE";
    const NOTES: &str = "POSTROOM_STORE_ABORT_NOTES";
    const THIS: &str =
        "sqlite::sync::tests::what_was_answered_survives_an_abort_and_a_power_cut_whichever_sync_fails";
    if let (Some(database), Some(notes)) = (std::env::var_os(DATABASE), std::env::var_os(NOTES)) {
        return accept_and_abort(database.into(), notes.into()).await;
    }
    for failing in (0..30).chain([NEVER]) {
        let folder = tempfile::tempdir().unwrap();
        let [root, notes] = ["root", "notes"].map(|name| folder.path().join(name));
        std::fs::create_dir(&root).unwrap();
        let platter = faulty::Disk::new(&root, &folder.path().join("disk"), failing).unwrap();
        platter.fail(faulty::Call::Sync, failing, Some(1), faulty::Effect::BrokenDisk).unwrap();
        let mut life = Command::new(std::env::current_exe().unwrap());
        life.args(["--exact", THIS]).envs(platter.variables());
        life.env(DATABASE, root.join("postroom.db")).env(NOTES, &notes);
        assert!(!life.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        platter.cut_power(faulty::Keep::Nothing, &mut faulty::Random::new(failing)).unwrap();

        let answered = std::fs::read(&notes).unwrap();
        let (store, _feed, _highest) = SqliteStore::open(Options::new(root.join("postroom.db"))).unwrap();
        for n in &answered {
            let found = store.body(event_id((*n).into())).await.unwrap();
            let Some(Body::Inline(body)) = found else {
                panic!("event {n} was answered and is gone; sync {failing} had failed")
            };
            assert_eq!(body[..], [*n; 30_000], "event {n}; sync {failing} had failed");
        }
        assert!(failing != NEVER || answered.len() == usize::from(ABORT_AFTER));
    }
}

use postroom_core::{
    event::Verdict,
    id::{EventId, SourceName},
    monitor::{Identity, Monitor, Numbers, Watch},
};
use postroom_openapi::{page::PageRequest, time};
use postroom_store::{Alive, MonitorChange, Options, SqliteStore, TrackChange};
use uuid::Uuid;

use super::*;

const UID: &str = "1e8eea47";

fn run(number: u32) -> Run {
    Run {
        event: EventId::new(Uuid::from_u128(number.into())),
        // Bursts of runs in the same millisecond, of all lengths up to 40.
        at: at(i64::from(number) / 40 + i64::from(number % 40 == 39)),
        verdict: Verdict::Passed,
        numbers: Numbers::default(),
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_790_000_000_000 + ms)
}

/// A store with so many runs of one monitor.
async fn store_with(count: u32) -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = SqliteStore::open(Options::new(folder.path().join("test.db"))).unwrap();
    let identity = Identity {
        uid: UID.to_owned(),
        name: None,
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("postman"),
        labels: std::collections::BTreeMap::new(),
    };
    let monitor = Monitor::new(identity, at(0));
    let change = MonitorChange { monitor, due_at: None, runs: (0..count).map(run).collect() };
    let alive = Alive { at: at(0), watch: Watch::always(), following_since: at(0) };
    let change = TrackChange {
        position: None,
        alive,
        monitors: vec![change],
        incidents: Vec::new(),
        collections: Vec::new(),
        forgotten: Vec::new(),
        events: Vec::new(),
    };
    store.track(change).await.unwrap();
    (store, folder)
}

fn all() -> monitors::RunRange {
    monitors::RunRange::default()
}

fn numbers(runs: &[Run]) -> Vec<u128> {
    runs.iter().map(|run| u128::from_be_bytes(*run.event.as_bytes())).collect()
}

#[tokio::test]
async fn pieces_join_to_all_runs_in_order_of_acceptance() {
    let (store, _folder) = store_with(500).await;
    for piece in [1, 7, 39, 40, 41, 499, 500, 501] {
        let mut reading = Reading { piece, ..Reading::new(&store, UID, all()) };
        let mut read = Vec::new();
        while let Some(runs) = reading.next().await.unwrap() {
            assert!(runs.len() <= piece);
            read.extend(numbers(&runs));
        }
        assert_eq!(read, (0..500).collect::<Vec<_>>(), "pieces of {piece}");
    }
    store.close().await;
}

#[tokio::test]
async fn pages_join_to_all_runs_newest_first() {
    let (store, _folder) = store_with(500).await;
    for limit in [1, 7, 40, 41, 499, 500] {
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let reading = Reading::new(&store, UID, all());
            let (runs, next) = reading.page_back(PageRequest { limit, after }).await.unwrap();
            assert!(runs.len() <= limit as usize);
            read.extend(numbers(&runs));
            after = next.map(|place| place.to_string());
            if after.is_none() {
                break;
            }
        }
        assert_eq!(read, (0..500).rev().collect::<Vec<_>>(), "pages of {limit}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_range_holds_also_over_pieces_and_pages() {
    let (store, _folder) = store_with(500).await;
    let moment = |ms| Some(time::Timestamp::from_unix_ms(at(ms).as_unix_ms()));
    let range = monitors::RunRange { since: moment(2), until: moment(5) };
    let expected: Vec<u128> =
        (0..500).filter(|n| (at(2)..at(5)).contains(&run(*n).at)).map(u128::from).collect();
    let mut reading = Reading { piece: 33, ..Reading::new(&store, UID, range) };
    let mut read = Vec::new();
    while let Some(runs) = reading.next().await.unwrap() {
        read.extend(numbers(&runs));
    }
    assert_eq!(read, expected);
    let request = |after| PageRequest { limit: 33, after };
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let (runs, next) = Reading::new(&store, UID, range).page_back(request(after)).await.unwrap();
        read.extend(numbers(&runs));
        after = next.map(|place| place.to_string());
        if after.is_none() {
            break;
        }
    }
    read.reverse();
    assert_eq!(read, expected);
    store.close().await;
}

#[tokio::test]
async fn a_cursor_that_was_made_up_is_refused() {
    let (store, _folder) = store_with(1).await;
    for after in ["", "7", "7.", ".7", "7.x", "7.-1", "7.10001", "7.99999999999999999999"] {
        let page = PageRequest { limit: 1, after: Some(after.to_owned()) };
        let refused = Reading::new(&store, UID, all()).page_back(page).await;
        assert!(matches!(refused, Err(ReadError::BadParameter { name: "cursor", .. })), "{after}");
    }
    store.close().await;
}

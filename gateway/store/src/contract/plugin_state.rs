//! What plugins keep.

use bytes::Bytes;
use futures_util::future::join_all;
use postroom_core::id::DestinationName;

use crate::{
    Expected, Prune, RemovedDestinations, StateAnswer, StateBounds, StateChange, StateWrite, Store,
    testing::{at, destination},
};

const WIDE: StateBounds = StateBounds { keys_max: 1_000, bytes_max: 1_000_000 };

/// The state of one destination at one moment.
struct At<'a> {
    store: &'a dyn Store,
    destination: DestinationName,
    ms: i64,
}

impl<'a> At<'a> {
    fn new(store: &'a dyn Store, name: &str, ms: i64) -> Self {
        Self { store, destination: destination(name), ms }
    }

    async fn write(&self, key: &str, expected: Expected, change: StateChange) -> StateAnswer {
        let write = StateWrite {
            destination: self.destination.clone(),
            key: key.to_owned(),
            expected,
            change,
            at: at(self.ms),
        };
        self.store.write_plugin_state(write).await.unwrap()
    }

    async fn put_within(&self, bounds: StateBounds, key: &str, value: &str, ttl: Option<i64>) -> StateAnswer {
        let value = Bytes::copy_from_slice(value.as_bytes());
        let change = StateChange::Put { value, expires_at: ttl.map(|ttl| at(self.ms + ttl)), bounds };
        self.write(key, Expected::Any, change).await
    }

    async fn put_if(&self, expected: Expected, key: &str, value: &str) -> StateAnswer {
        let value = Bytes::copy_from_slice(value.as_bytes());
        self.write(key, expected, StateChange::Put { value, expires_at: None, bounds: WIDE }).await
    }

    /// Puts a value and gives its version.
    async fn put(&self, key: &str, value: &str) -> u64 {
        version(self.put_if(Expected::Any, key, value).await)
    }

    async fn delete(&self, key: &str) -> StateAnswer {
        self.write(key, Expected::Any, StateChange::Delete).await
    }

    async fn get(&self, key: &str) -> Option<(u64, String)> {
        let read = self.store.plugin_state(self.destination.clone(), key.to_owned(), at(self.ms));
        let entry = read.await.unwrap()?;
        Some((entry.version, String::from_utf8(entry.value.to_vec()).unwrap()))
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let keys =
            self.store.plugin_state_keys(self.destination.clone(), prefix.to_owned(), at(self.ms), 1_000);
        keys.await.unwrap().unwrap()
    }
}

#[track_caller]
fn version(answer: StateAnswer) -> u64 {
    match answer {
        StateAnswer::Put { version } => version,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn what_was_put_reads_back_until_it_is_removed(store: &dyn Store) {
    let state = At::new(store, "d", 1);
    assert_eq!(state.get("k").await, None);
    let first = state.put("k", "one").await;
    assert!(first > 0);
    assert_eq!(state.get("k").await, Some((first, "one".to_owned())));
    let second = state.put("k", "").await;
    assert!(second > first);
    assert_eq!(state.get("k").await, Some((second, String::new())));
    assert_eq!(state.delete("k").await, StateAnswer::Deleted);
    assert_eq!(state.get("k").await, None);
    assert_eq!(state.delete("k").await, StateAnswer::NotFound);
}

pub(crate) async fn each_destination_has_a_state_of_its_own(store: &dyn Store) {
    let (one, other) = (At::new(store, "a", 1), At::new(store, "b", 1));
    one.put("k", "one").await;
    assert_eq!((other.get("k").await, other.keys("").await), (None, vec![]));
    assert_eq!(other.delete("k").await, StateAnswer::NotFound);
    let tight = StateBounds { keys_max: 1, bytes_max: 100 };
    version(other.put_within(tight, "k", "other", None).await);
    assert_eq!(one.get("k").await.unwrap().1, "one");
}

pub(crate) async fn a_write_that_expects_something_else_changes_nothing(store: &dyn Store) {
    let state = At::new(store, "d", 1);
    let expects = Expected::Version;
    assert_eq!(state.put_if(expects(7), "k", "x").await, StateAnswer::Conflict { version: 0 });
    assert_eq!(state.write("k", expects(7), StateChange::Delete).await, StateAnswer::Conflict { version: 0 });
    let first = version(state.put_if(Expected::Absent, "k", "one").await);
    let conflict = StateAnswer::Conflict { version: first };
    assert_eq!(state.put_if(Expected::Absent, "k", "x").await, conflict);
    assert_eq!(state.put_if(expects(first + 1), "k", "x").await, conflict);
    assert_eq!(state.write("k", expects(first + 1), StateChange::Delete).await, conflict);
    assert_eq!(state.write("k", Expected::Absent, StateChange::Delete).await, conflict);
    assert_eq!(state.get("k").await, Some((first, "one".to_owned())));
    version(state.put_if(expects(first), "k", "two").await);
    assert_eq!(state.get("k").await.unwrap().1, "two");
}

pub(crate) async fn a_version_is_never_given_again(store: &dyn Store) {
    let state = At::new(store, "d", 1);
    let first = state.put("k", "one").await;
    state.delete("k").await;
    let second = state.put("k", "one").await;
    assert_ne!(first, second, "whoever read the first one must not write over the second");
    let ends = state.put_within(WIDE, "k", "ends", Some(5)).await;
    store.prune(Prune { state_expired_by: Some(at(9)), limit: 9, ..Prune::default() }).await.unwrap();
    assert!(state.put("k", "one").await > version(ends));
}

pub(crate) async fn increments_at_the_same_time_all_count(store: &dyn Store) {
    const COUNTERS: usize = 10;
    const INCREMENTS: usize = 20;
    let count = async || {
        let state = At::new(store, "d", 1);
        for _ in 0..INCREMENTS {
            loop {
                let (expected, value) = match state.get("n").await {
                    None => (Expected::Absent, 0),
                    Some((version, value)) => (Expected::Version(version), value.parse::<u32>().unwrap()),
                };
                match state.put_if(expected, "n", &(value + 1).to_string()).await {
                    StateAnswer::Put { .. } => break,
                    StateAnswer::Conflict { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    join_all((0..COUNTERS).map(|_| count())).await;
    assert_eq!(At::new(store, "d", 1).get("n").await.unwrap().1, "200");
}

pub(crate) async fn keys_are_listed_by_prefix_in_order(store: &dyn Store) {
    let state = At::new(store, "d", 1);
    for key in ["b", "a/\u{10ffff}", "a/2", "a", "a/10", "a0", "ä"] {
        state.put(key, "value").await;
    }
    At::new(store, "other", 1).put("a/3", "value").await;
    assert_eq!(state.keys("a/").await, ["a/10", "a/2", "a/\u{10ffff}"]);
    assert_eq!(state.keys("").await, ["a", "a/10", "a/2", "a/\u{10ffff}", "a0", "b", "ä"]);
    assert_eq!(state.keys("c").await, [""; 0]);
    for (bytes_max, there) in [(11, false), (13, true)] {
        let listed = store.plugin_state_keys(destination("d"), "a/".to_owned(), at(1), bytes_max);
        assert_eq!(listed.await.unwrap().is_some(), there, "{bytes_max}");
    }
}

pub(crate) async fn what_has_expired_is_not_there(store: &dyn Store) {
    let state = At::new(store, "d", 10);
    let first = version(state.put_within(WIDE, "k", "one", Some(5)).await);
    let before = At::new(store, "d", 14);
    assert_eq!(before.get("k").await, Some((first, "one".to_owned())));
    assert_eq!(before.put_if(Expected::Absent, "k", "x").await, StateAnswer::Conflict { version: first });

    let after = At::new(store, "d", 15);
    assert_eq!((after.get("k").await, after.keys("").await), (None, vec![]));
    assert_eq!(after.delete("k").await, StateAnswer::NotFound);
    assert_eq!(after.put_if(Expected::Version(first), "k", "x").await, StateAnswer::Conflict { version: 0 });
    version(after.put_if(Expected::Absent, "k", "two").await);
    let later = At::new(store, "d", 99_000);
    assert_eq!(later.get("k").await.unwrap().1, "two", "a value without an end has none");
}

pub(crate) async fn retention_removes_what_has_expired_in_chunks(store: &dyn Store) {
    let state = At::new(store, "d", 0);
    for (key, ttl) in [("a", Some(3)), ("b", Some(1)), ("c", Some(2)), ("d", None), ("e", Some(9))] {
        version(state.put_within(WIDE, key, "value", ttl).await);
    }
    let prune = || Prune { state_expired_by: Some(at(3)), limit: 2, ..Prune::default() };
    let removed = store.prune(prune()).await.unwrap();
    assert_eq!((removed.state_keys, removed.more), (2, true));
    assert_eq!(state.keys("").await, ["a", "d", "e"], "those that ended first go first");
    let removed = store.prune(prune()).await.unwrap();
    assert_eq!(removed.state_keys, 1);
    assert_eq!(state.keys("").await, ["d", "e"]);
    let full = StateBounds { keys_max: 3, bytes_max: 1_000 };
    version(state.put_within(full, "f", "value", None).await);
    assert_eq!(state.put_within(full, "g", "value", None).await, StateAnswer::Full);
}

pub(crate) async fn the_state_of_a_removed_destination_goes_after_a_while(store: &dyn Store) {
    let (kept, gone) = (At::new(store, "kept", 0), At::new(store, "gone", 0));
    let last = {
        kept.put("a", "value").await;
        gone.put("a", "value").await;
        gone.put("b", "value").await;
        gone.put("c", "value").await
    };
    let prune = async |configured: &[&str], now: i64| {
        let configured = configured.iter().map(|name| destination(name)).collect();
        let removed = RemovedDestinations { configured, at: at(now), before: at(now - 10) };
        let prune = Prune { removed_destinations: Some(removed), limit: 2, ..Prune::default() };
        let removed = store.prune(prune).await.unwrap();
        assert!(removed.more || removed.state_keys < 2, "there may be more");
        removed.state_keys
    };
    assert_eq!(prune(&["kept", "gone"], 100).await, 0);
    assert_eq!(prune(&["kept"], 200).await, 0);
    assert_eq!(prune(&["kept"], 210).await, 0, "not yet");
    // It was away for a moment.
    assert_eq!(prune(&["kept", "gone"], 211).await, 0);
    assert_eq!(prune(&["kept"], 300).await, 0);
    assert_eq!(gone.keys("").await, ["a", "b", "c"]);
    assert_eq!(prune(&["kept"], 311).await, 2);
    assert_eq!(prune(&["kept"], 312).await, 1);
    assert_eq!((gone.keys("").await.len(), kept.keys("").await.len()), (0, 1));
    // What was given once is never given again, and there is room as for the first.
    let full = StateBounds { keys_max: 1, bytes_max: 10 };
    assert!(version(gone.put_within(full, "a", "value", None).await) > last);
}

pub(crate) async fn a_write_beyond_the_bounds_is_refused(store: &dyn Store) {
    let state = At::new(store, "d", 1);
    let bounds = StateBounds { keys_max: 2, bytes_max: 10 };
    version(state.put_within(bounds, "a", "123", None).await);
    assert_eq!(state.put_within(bounds, "b", "123456", None).await, StateAnswer::Full, "11 bytes");
    version(state.put_within(bounds, "b", "12345", None).await);
    assert_eq!(state.put_within(bounds, "c", "", None).await, StateAnswer::Full, "three keys");
    assert_eq!(state.put_within(bounds, "a", "1234", None).await, StateAnswer::Full, "11 bytes");
    assert_eq!(state.get("a").await.unwrap().1, "123");

    let lowered = StateBounds { keys_max: 1, bytes_max: 1 };
    version(state.put_within(lowered, "a", "12", None).await);
    assert_eq!(state.delete("b").await, StateAnswer::Deleted);
    version(state.put_within(bounds, "c", "123456", None).await);
}

pub(crate) async fn what_has_expired_makes_room(store: &dyn Store) {
    let bounds = StateBounds { keys_max: 2, bytes_max: 100 };
    let state = At::new(store, "d", 1);
    for key in ["a", "b"] {
        version(state.put_within(bounds, key, "value", Some(5)).await);
    }
    assert_eq!(state.put_within(bounds, "c", "value", None).await, StateAnswer::Full);
    version(At::new(store, "d", 9).put_within(bounds, "c", "value", None).await);
}

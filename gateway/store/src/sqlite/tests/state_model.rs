//! Plugin state against a plain model, and what SQLite holds of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{Expected, Prune, StateAnswer, StateBounds, StateChange, StateWrite};

const DESTINATIONS: [&str; 2] = ["a", "b"];
const KEYS: [&str; 4] = ["k", "k/1", "k/2", "other"];
const BOUNDS: StateBounds = StateBounds { keys_max: 3, bytes_max: 40 };

#[derive(Debug, Clone, Copy)]
enum Expects {
    Any,
    Absent,
    /// What is there.
    Same,
    /// What was there before that.
    Older,
}

#[derive(Debug, Clone)]
enum Action {
    Put { destination: usize, key: usize, expects: Expects, bytes: u8, ttl: Option<i64> },
    Delete { destination: usize, key: usize, expects: Expects },
    Prune(usize),
    Pass(i64),
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let destination = || 0..DESTINATIONS.len();
    let key = || 0..KEYS.len();
    let expects =
        || prop::sample::select(&[Expects::Any, Expects::Absent, Expects::Same, Expects::Older][..]);
    let ttl = prop::option::of(1..6_i64);
    prop_oneof![
        6 => (destination(), key(), expects(), 0..30_u8, ttl).prop_map(
            |(destination, key, expects, bytes, ttl)| Action::Put { destination, key, expects, bytes, ttl }
        ),
        3 => (destination(), key(), expects()).prop_map(
            |(destination, key, expects)| Action::Delete { destination, key, expects }
        ),
        1 => (1..3_usize).prop_map(Action::Prune),
        2 => (1..4_i64).prop_map(Action::Pass),
        1 => Just(Action::Reopen),
    ]
}

#[derive(Debug, Clone)]
struct Kept {
    version: u64,
    value: Bytes,
    end: Option<i64>,
}

#[derive(Debug, Default)]
struct Model {
    now: i64,
    /// By destination and key, with what has expired and is not yet removed.
    kept: BTreeMap<(usize, usize), Kept>,
    last_versions: [u64; DESTINATIONS.len()],
}

impl Model {
    fn alive(&self, at: (usize, usize)) -> Option<&Kept> {
        self.kept.get(&at).filter(|kept| kept.end.is_none_or(|end| end > self.now))
    }

    fn remove_expired(&mut self) {
        self.kept.retain(|_, kept| kept.end.is_none_or(|end| end > self.now));
    }

    fn used(&self, destination: usize) -> (u64, u64) {
        let own = self.kept.iter().filter(|((of, _), _)| *of == destination);
        own.fold((0, 0), |(keys, bytes), ((_, key), kept)| {
            (keys + 1, bytes + (KEYS[*key].len() + kept.value.len()) as u64)
        })
    }

    fn expected(&self, place: (usize, usize), expects: Expects) -> Expected {
        let version = self.alive(place).map_or(1, |kept| kept.version);
        match expects {
            Expects::Any => Expected::Any,
            Expects::Absent => Expected::Absent,
            Expects::Same => Expected::Version(version),
            Expects::Older => Expected::Version(version.saturating_sub(1).max(1)),
        }
    }

    /// What a write answers, after carrying it out.
    fn write(
        &mut self,
        place: (usize, usize),
        expected: Expected,
        put: Option<(Bytes, Option<i64>)>,
    ) -> StateAnswer {
        let version = self.alive(place).map_or(0, |kept| kept.version);
        let fits = match expected {
            Expected::Any => true,
            Expected::Absent => version == 0,
            Expected::Version(expected) => expected == version,
        };
        if !fits {
            return StateAnswer::Conflict { version };
        }
        let Some((value, end)) = put else {
            if version == 0 {
                return StateAnswer::NotFound;
            }
            self.kept.remove(&place);
            return StateAnswer::Deleted;
        };
        if !self.has_room(place, &value) {
            self.remove_expired();
            if !self.has_room(place, &value) {
                return StateAnswer::Full;
            }
        }
        self.last_versions[place.0] += 1;
        let version = self.last_versions[place.0];
        self.kept.insert(place, Kept { version, value, end });
        StateAnswer::Put { version }
    }

    fn has_room(&self, place: (usize, usize), value: &Bytes) -> bool {
        let (keys, bytes) = self.used(place.0);
        let key_bytes = KEYS[place.1].len() as u64;
        let replaced = self.kept.get(&place).map_or(0, |kept| key_bytes + kept.value.len() as u64);
        let keys_then = keys + u64::from(!self.kept.contains_key(&place));
        let bytes_then = bytes + key_bytes + value.len() as u64 - replaced;
        (keys_then <= BOUNDS.keys_max && bytes_then <= BOUNDS.bytes_max)
            || (keys_then <= keys && bytes_then <= bytes)
    }

    async fn check(&self, store: &SqliteStore) {
        for (of, name) in DESTINATIONS.into_iter().enumerate() {
            let mut keys = Vec::new();
            for (n, key) in KEYS.into_iter().enumerate() {
                let entry =
                    store.plugin_state(destination(name), key.to_owned(), at(self.now)).await.unwrap();
                let told = entry.map(|entry| (entry.version, entry.value));
                let kept = self.alive((of, n)).map(|kept| (kept.version, kept.value.clone()));
                assert_eq!(told, kept, "{key} of {name}");
                keys.extend(kept.map(|_| key.to_owned()));
            }
            let all = store.plugin_state_keys(destination(name), String::new(), at(self.now), 1_000);
            assert_eq!(all.await.unwrap().unwrap(), keys);
            keys.retain(|key| key.starts_with("k/"));
            let some = store.plugin_state_keys(destination(name), "k/".to_owned(), at(self.now), 1_000);
            assert_eq!(some.await.unwrap().unwrap(), keys);
        }
    }
}

/// Whether what SQLite has counted is what is there.
fn check_usage(scratch: &Scratch) {
    let connection = Connection::open(scratch.path()).unwrap();
    let wrong: i64 = connection
        .query_row(
            "SELECT count(*) FROM plugin_state_usage AS used
             WHERE (keys, bytes) <> (SELECT count(*), coalesce(sum(length(key) + length(value)), 0)
                                     FROM plugin_state WHERE destination = used.destination)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(wrong, 0);
}

async fn run(actions: &[Action]) {
    let scratch = Scratch::new();
    let mut model = Model::default();
    let mut store = scratch.store();
    for action in actions {
        let (place, expects, put) = match action {
            Action::Put { destination, key, expects, bytes, ttl } => {
                let value = Bytes::from(vec![*bytes; usize::from(*bytes)]);
                ((*destination, *key), *expects, Some((value, ttl.map(|ttl| model.now + ttl))))
            }
            Action::Delete { destination, key, expects } => ((*destination, *key), *expects, None),
            Action::Prune(limit) => {
                let prune =
                    || Prune { state_expired_by: Some(at(model.now)), limit: *limit, ..Prune::default() };
                while store.prune(prune()).await.unwrap().state_keys == *limit as u64 {}
                model.remove_expired();
                continue;
            }
            Action::Pass(ms) => {
                model.now += ms;
                continue;
            }
            Action::Reopen => {
                drop(store);
                check_usage(&scratch);
                store = scratch.store();
                continue;
            }
        };
        let expected = model.expected(place, expects);
        let change = match put.clone() {
            Some((value, end)) => StateChange::Put { value, expires_at: end.map(at), bounds: BOUNDS },
            None => StateChange::Delete,
        };
        let write = StateWrite {
            destination: destination(DESTINATIONS[place.0]),
            key: KEYS[place.1].to_owned(),
            expected,
            change,
            at: at(model.now),
        };
        let answer = store.write_plugin_state(write).await.unwrap();
        assert_eq!(answer, model.write(place, expected, put), "{action:?}");
        model.check(&store).await;
    }
    drop(store);
    check_usage(&scratch);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plugin_state_is_as_a_map_would_have_it(actions in prop::collection::vec(action(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(&actions));
    }
}

//! Rows and files that no version of the gateway writes: each is named, and hides no other.

use super::*;
use crate::{
    Access, CollectionChange, IncidentRecord, IncidentState, KeyRole, KeyUse, MonitorChange, MonitorRow,
    Prune, RunOrder, RunRange, StoredKey, TrackChange,
    testing::monitors::{
        collection, full, incident, keep_incidents, keep_monitors, monitor, run, runs, tracked, with_runs,
    },
};

#[tokio::test]
async fn a_row_that_nobody_writes_is_named_and_hides_no_other() {
    let scratch = Scratch::new();
    {
        let store = scratch.store();
        accept(&store, new_event(1, "k", &["d"])).await;
        accept(&store, new_event(2, "k", &["d"])).await;
    }
    scratch.meddle(
        "UPDATE event SET kind = 'a riddle' WHERE seq = 2; UPDATE delivery SET attempts = -1 WHERE id = 1",
    );
    let store = scratch.store();
    let error = store.event(event_id(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "event", row: 2, .. }), "{error}");
    assert!(!error.to_string().contains("riddle"), "{error}");
    let error = store.delivery(DeliveryId::new(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "delivery", row: 1, .. }), "{error}");
    assert_eq!(waiting_for(&store, "d").await, [DeliveryId::new(2)], "the others are delivered");
    let events = store.events(Default::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(events.iter().map(|record| record.event.id).collect::<Vec<_>>(), [event_id(1)]);
    let deliveries = store.deliveries(Default::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(deliveries.iter().map(|record| record.id.get()).collect::<Vec<_>>(), [2]);
    assert_eq!(body(&store, 1).await, "body 1");
    let loaded = store.load(vec![event_id(2), event_id(1)], usize::MAX).await.unwrap();
    assert_eq!(loaded.iter().map(|loaded| loaded.event.id).collect::<Vec<_>>(), [event_id(1)]);
}

#[tokio::test]
async fn a_mark_that_nobody_writes_costs_no_event() {
    let scratch = Scratch::new();
    drop(scratch.store().accept(marked(new_event(1, "k", &["d"]), "key", 7)).await.unwrap());
    scratch.meddle("UPDATE mark SET kind = 'a riddle'");
    let store = scratch.store();
    let taken = store.accept(marked(new_event(2, "k", &["d"]), "key", 7)).await.unwrap();
    assert!(!taken.repeated);
    let again = store.accept(marked(new_event(3, "k", &["d"]), "key", 7)).await.unwrap();
    assert_eq!((again.repeated, again.event), (true, event_id(2)), "it was written anew");
}

#[tokio::test]
async fn a_replay_whose_filter_is_not_known_makes_nothing() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let ids = finished(&store, new_event(1, "k", &["d"]), DeliveryState::Dead, 2_000).await;
    let new = NewReplay {
        filter: DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() },
        destinations: vec![destination("d")],
        per_second: 1,
        count: 1,
        final_by: at(3_000),
        by: "ann".to_owned(),
        at: at(3_000),
    };
    let [known, unknown] = [store.begin_replay(new.clone()).await, store.begin_replay(new).await];
    let (known, unknown) = (known.unwrap(), unknown.unwrap());
    scratch.meddle(r#"UPDATE replay SET filter = '{"mood":"blue"}' WHERE id = 2"#);
    let error = store.advance_replay(unknown.id, 9, at(4_000)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "replay", row: 2, .. }), "{error}");
    assert!(waiting(&store).await.is_empty());
    assert_eq!(store.running_replays().await.unwrap(), std::slice::from_ref(&known), "the others go on");
    assert_eq!(store.advance_replay(known.id, 9, at(4_000)).await.unwrap().unwrap().made, 1);
    assert_eq!(store.replays(page(None, 9)).await.unwrap().items.len(), 1);
    assert_eq!(waiting(&store).await.len(), ids.len());
}

#[tokio::test]
async fn a_large_body_that_was_changed_is_not_given_out() {
    let scratch = Scratch::new();
    let store = scratch.store();
    accept(&store, with_body(new_event(1, "k", &["d"]), vec![7; INLINE_BODY_BYTES_MAX + 1])).await;
    let folder = open::beside(&scratch.path(), ".blobs");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read_dir(entry.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    std::fs::write(&files[0], vec![8; INLINE_BODY_BYTES_MAX + 1]).unwrap();
    let error = store.body(event_id(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "event", row: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_no_event_names_is_found_after_a_restart_and_removed() {
    let scratch = Scratch::new();
    let large = vec![7; INLINE_BODY_BYTES_MAX + 1];
    accept(&scratch.store(), with_body(new_event(1, "k", &["d"]), large.clone())).await;
    let folder = open::beside(&scratch.path(), ".blobs").join("ff");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ff".repeat(32)), "what a crash has left").unwrap();
    assert_eq!(scratch.blob_files(), 2);
    let store = scratch.store();
    let mut removed = 0;
    loop {
        let pruned = store.prune(Prune { limit: 9, ..Prune::default() }).await.unwrap();
        removed += pruned.blobs;
        if !pruned.more {
            break;
        }
    }
    assert_eq!((removed, scratch.blob_files()), (1, 1));
    assert_eq!(body(&store, 1).await, large);
}

#[tokio::test]
async fn a_monitor_that_nobody_writes_is_named_and_hides_no_other() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let changes = ["a", "b", "c", "d", "e"].map(|uid| with_runs(monitor(uid), vec![]));
    keep_monitors(&store, changes.to_vec()).await;
    scratch.meddle(
        r#"UPDATE monitor SET track = '{"phase":"a riddle"}' WHERE uid = 'a';
           UPDATE monitor SET cadence = '7' WHERE uid = 'b';
           UPDATE monitor SET last_run = x'63' WHERE uid = 'c';
           UPDATE monitor SET last_run = x'01' WHERE uid = 'd'"#,
    );
    for (row, uid) in (1..).zip(["a", "b", "c", "d"]) {
        let error = store.monitor(uid.to_owned()).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt { table: "monitor", row: found, .. } if found == row),
            "{error}"
        );
        assert!(!error.to_string().contains("riddle"), "{error}");
    }
    let uids = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
    let known = store.monitors_by_uid(uids).await.unwrap();
    assert_eq!(known.iter().map(|row| &row.monitor).collect::<Vec<_>>(), [&monitor("e")]);
    assert_eq!(store.monitors(Default::default(), page(None, 9)).await.unwrap().items.len(), 1);
    // Whoever follows the log begins it anew.
    keep_monitors(&store, vec![with_runs(monitor("a"), vec![run(1)])]).await;
    assert_eq!(store.monitor("a".to_owned()).await.unwrap().unwrap().monitor, monitor("a"));
}

#[tokio::test]
async fn what_is_due_behind_a_row_that_nobody_writes_is_found() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let due = |uid: &str, ms| MonitorChange { due_at: Some(at(ms)), ..with_runs(monitor(uid), vec![]) };
    keep_monitors(&store, vec![due("a", 1), due("b", 2), due("c", 3)]).await;
    let watch = |uid: &str, ms| CollectionChange { watch: collection(uid, ms), due_at: Some(at(ms)) };
    let collections = vec![watch("a", 1), watch("b", 2)];
    store.track(TrackChange { collections, ..tracked(1) }).await.unwrap();
    scratch.meddle(
        "UPDATE monitor SET cadence = '7' WHERE uid = 'a';
         UPDATE collection_watch SET last_event = x'01' WHERE uid = 'a'",
    );
    let uids =
        |rows: Vec<MonitorRow>| rows.into_iter().map(|row| row.monitor.identity.uid).collect::<Vec<_>>();
    assert_eq!(uids(store.monitors_due(at(9), 1).await.unwrap()), ["b"]);
    assert_eq!(uids(store.monitors_due(at(9), 2).await.unwrap()), ["b", "c"]);
    assert_eq!(uids(store.monitors_after(None, 1).await.unwrap()), ["b"]);
    assert_eq!(store.collections_due(at(9), 1).await.unwrap(), [watch("b", 2)]);
    assert_eq!(store.collections(None, 1).await.unwrap(), [watch("b", 2)]);
}

#[tokio::test]
async fn a_monitor_that_is_begun_anew_leaves_no_incident_open() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let (old, other) = (full("m"), full("other"));
    let id = old.track.incident.as_ref().unwrap().id;
    let record = IncidentRecord { id, ..incident(1, "m", None) };
    keep_incidents(&store, vec![record.clone(), incident(2, "m", Some(5))]).await;
    keep_monitors(&store, vec![with_runs(old.clone(), vec![])]).await;
    let mut open = record.clone();
    open.count(old.track.incident.as_ref());
    keep_monitors(&store, vec![with_runs(old, vec![])]).await;
    assert_eq!(store.incident(id).await.unwrap(), Some(open), "it stays while it is open");
    scratch.meddle("UPDATE monitor SET cadence = '7'");
    keep_monitors(&store, vec![with_runs(monitor("m"), vec![]), with_runs(other, vec![])]).await;
    let closed = store.incident(id).await.unwrap().unwrap();
    assert_eq!((closed.state, closed.resolved_at), (IncidentState::Resolved, Some(at(1))));
    assert_eq!(closed.resolved_by, None, "no run did");
    let last = closed.timeline.last().unwrap();
    assert_eq!((closed.timeline.len(), &last.what[..]), (record.timeline.len() + 1, "resolved"));
    assert!(last.note.as_deref().is_some_and(|note| note.contains("begun anew")), "{last:?}");
}

#[tokio::test]
async fn runs_that_nobody_writes_cost_no_others() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let all: Vec<_> = (0..140).map(run).collect();
    keep_monitors(&store, vec![with_runs(monitor("m"), all.clone())]).await;
    scratch.meddle(
        "UPDATE run_chunk SET bytes = x'ff' WHERE number = 0;
         UPDATE monitor SET recent = x'0102'",
    );
    let oldest_first = RunRange { order: RunOrder::OldestFirst, ..RunRange::ALL };
    assert_eq!(runs(&store, "m", oldest_first).await, all[64..128]);
    keep_monitors(&store, vec![with_runs(monitor("m"), vec![run(200)])]).await;
    let found = runs(&store, "m", oldest_first).await;
    assert_eq!((found.len(), found.last()), (65, Some(&run(200))), "it goes on");
}

#[tokio::test]
async fn an_incident_that_nobody_writes_is_named_and_hides_no_other() {
    let scratch = Scratch::new();
    let store = scratch.store();
    keep_incidents(&store, vec![incident(1, "m", None), incident(2, "m", None)]).await;
    scratch.meddle("UPDATE incident SET severity = 'a riddle' WHERE number = 1");
    let error = store.incident(incident(1, "m", None).id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "incident", row: 1, .. }), "{error}");
    let listed = store.incidents(Default::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(listed, [incident(2, "m", None)]);
}

#[tokio::test]
async fn an_event_that_nobody_writes_does_not_stop_who_follows_the_log() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 1..=4 {
        accept(&store, new_event(n, "k", &[])).await;
    }
    scratch.meddle(
        "UPDATE event SET facts = '7' WHERE seq = 2; UPDATE event SET kind = 'A Riddle' WHERE seq = 3",
    );
    let part = store.log_after(0, 9).await.unwrap();
    let ids: Vec<_> = part.events.iter().map(|logged| logged.event.id).collect();
    assert_eq!((ids, part.last, part.missing), (vec![event_id(1), event_id(4)], 4, 0));
}

#[tokio::test]
async fn a_key_that_nobody_writes_keeps_no_other_out() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for (name, byte) in [("a", 1), ("b", 2), ("c", 3)] {
        let key = StoredKey {
            name: name.to_owned(),
            role: KeyRole::Viewer,
            sha256: [byte; 32],
            created_at: at(1),
            created_by: "ann".to_owned(),
            expires_at: None,
        };
        assert!(store.add_api_key(key).await.unwrap());
    }
    let used = |name: &str| KeyUse { name: name.to_owned(), configured: false, at: at(7) };
    store.keep_key_uses(vec![used("a"), used("b")]).await.unwrap();
    scratch.meddle(
        "UPDATE api_key SET role = 'a riddle' WHERE name = 'a'; UPDATE api_key SET sha256 = x'01' WHERE name = 'b';
         UPDATE api_key_use SET name = CAST(x'ff' AS TEXT) WHERE name = 'a'",
    );
    let names: Vec<_> = store.api_keys().await.unwrap().into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["c"]);
    assert_eq!(store.key_uses().await.unwrap(), [used("b")]);
}

use std::sync::atomic::{AtomicI64, Ordering};

use postroom_store::{AuditFilter, Options, PageRequest, SqliteStore};

use super::*;
use crate::testing::Log;

fn entry(who: &str, operation: &str, outcome: AuditOutcome) -> NewAuditEntry {
    NewAuditEntry {
        who: who.to_owned(),
        via: AuditVia::ApiKey,
        operation: operation.to_owned(),
        object: None,
        before: None,
        after: None,
        outcome,
        code: None,
        request_id: None,
    }
}

#[tokio::test]
async fn what_costs_nothing_does_not_fill_the_disk_and_what_was_done_is_always_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = SqliteStore::open(Options::new(folder.path().join("postroom.db"))).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let now = Arc::new(AtomicI64::new(1_000));
    let clock = Arc::clone(&now);
    let clock = Clock::new(move || Timestamp::from_unix_ms(clock.load(Ordering::Relaxed)));
    let audit = Audit::new(Arc::clone(&store), clock);
    let kept = async |who: &str| {
        let page = PageRequest { before: None, limit: 9_999 };
        let filter = AuditFilter { who: Some(who.to_owned()), ..AuditFilter::default() };
        store.audit_log(filter, page).await.unwrap().items.len()
    };
    let keep = async |who, operation, outcome, count: u32| {
        let keeping: Vec<_> = (0..count).map(|_| audit.keep(entry(who, operation, outcome))).collect();
        futures_util::future::join_all(keeping).await;
    };
    let (max, done) = (FREE_PER_MINUTE as usize, AuditOutcome::Done);
    let (log, _guard) = Log::start();
    for (who, operation, outcome) in [
        ("ann", "pauseDestination", AuditOutcome::Refused),
        ("bob", "pauseDestination", AuditOutcome::Failed),
        ("eve", "pauseDestination", AuditOutcome::Unknown),
        ("ida", "createSession", done),
        ("joe", "endSession", done),
    ] {
        keep(who, operation, outcome, FREE_PER_MINUTE + 50).await;
        assert_eq!(kept(who).await, max, "{operation} {outcome:?}");
        let line = "WARN more is refused or begins than the audit log takes, some is left out of it";
        assert_eq!(log.lines(), [format!("{line} who=\"{who}\"")]);
    }
    keep("ann", "pauseDestination", done, 50).await;
    assert_eq!(kept("ann").await, max + 50);
    now.store(61_000, Ordering::Relaxed);
    keep("ann", "pauseDestination", AuditOutcome::Refused, 1).await;
    assert_eq!(kept("ann").await, max + 51, "a minute later");
}

#[tokio::test]
async fn names_that_come_and_go_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = SqliteStore::open(Options::new(folder.path().join("postroom.db"))).unwrap();
    let now = Arc::new(AtomicI64::new(1_000));
    let clock = Arc::clone(&now);
    let clock = Clock::new(move || Timestamp::from_unix_ms(clock.load(Ordering::Relaxed)));
    let audit = Audit::new(Arc::new(store), clock);
    for number in 0..NAMES_MAX {
        assert!(audit.has_room_for_free(&number.to_string()));
    }
    now.store(61_000, Ordering::Relaxed);
    assert!(audit.has_room_for_free("eve"));
    assert_eq!(audit.free.lock().unwrap().len(), 1);
}

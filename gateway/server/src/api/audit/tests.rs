use std::sync::atomic::{AtomicI64, Ordering};

use postroom_core::time::Timestamp;
use postroom_store::{AuditFilter, Options, PageRequest, SqliteStore};

use super::*;

fn entry(outcome: AuditOutcome) -> NewAuditEntry {
    NewAuditEntry {
        who: "eve".to_owned(),
        via: AuditVia::ApiKey,
        operation: "pauseDestination".to_owned(),
        object: None,
        before: None,
        after: None,
        outcome,
        code: None,
        request_id: None,
    }
}

#[tokio::test]
async fn refusals_do_not_fill_the_disk_and_what_was_done_is_always_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = SqliteStore::open(Options::new(folder.path().join("postroom.db"))).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let now = Arc::new(AtomicI64::new(1_000));
    let clock = Arc::clone(&now);
    let clock = Clock::new(move || Timestamp::from_unix_ms(clock.load(Ordering::Relaxed)));
    let audit = Audit::new(Arc::clone(&store), clock);
    let kept = async || {
        let page = PageRequest { before: None, limit: 9_999 };
        store.audit_log(AuditFilter::default(), page).await.unwrap().items.len()
    };
    let keep = async |outcome, count: u32| {
        let keeping: Vec<_> = (0..count).map(|_| audit.keep(entry(outcome))).collect();
        futures_util::future::join_all(keeping).await;
    };
    keep(AuditOutcome::Refused, REFUSALS_PER_MINUTE + 50).await;
    assert_eq!(kept().await, REFUSALS_PER_MINUTE as usize);
    keep(AuditOutcome::Done, 50).await;
    assert_eq!(kept().await, REFUSALS_PER_MINUTE as usize + 50);
    now.store(61_000, Ordering::Relaxed);
    keep(AuditOutcome::Refused, 1).await;
    assert_eq!(kept().await, REFUSALS_PER_MINUTE as usize + 51, "a minute later");
}

//! How long the audit log may become.

use super::*;
use crate::{AuditEntry, AuditFilter, AuditOutcome, AuditVia, access::Access as _, audit::ENTRIES_MAX};

async fn add(store: &SqliteStore, ms: i64) {
    let entry = AuditEntry {
        at: at(ms),
        who: "ann".to_owned(),
        via: AuditVia::ApiKey,
        operation: "pauseDestination".to_owned(),
        object: None,
        before: None,
        after: None,
        outcome: AuditOutcome::Done,
        code: None,
        request_id: None,
    };
    store.add_audit(entry).await.unwrap();
}

async fn ids(store: &SqliteStore) -> Vec<i64> {
    let kept = store.audit_log(AuditFilter::default(), page(None, 9)).await.unwrap();
    kept.items.iter().map(|record| record.id).collect()
}

#[tokio::test]
async fn beyond_so_many_entries_the_oldest_go() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for ms in 1..=5 {
        add(&store, ms).await;
    }
    // As if all the others had been added meanwhile.
    scratch.meddle(&format!("UPDATE sqlite_sequence SET seq = {} WHERE name = 'audit'", ENTRIES_MAX - 1));
    add(&store, 6).await;
    assert_eq!(ids(&store).await, [ENTRIES_MAX, 5, 4, 3, 2, 1]);
    add(&store, 7).await;
    assert_eq!(ids(&store).await, [ENTRIES_MAX + 1, ENTRIES_MAX, 5, 4, 3, 2]);
    scratch.meddle(&format!("UPDATE sqlite_sequence SET seq = {} WHERE name = 'audit'", 2 * ENTRIES_MAX));
    for _ in 0..3 {
        add(&store, 8).await;
    }
    let newest = 2 * ENTRIES_MAX + 1;
    assert_eq!(ids(&store).await, [newest + 2, newest + 1, newest], "a log that was longer becomes shorter");
}

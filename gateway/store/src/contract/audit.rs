//! The audit log.

use serde_json::{Map, Value, json};

use crate::{
    AuditEntry, AuditFilter, AuditOutcome, AuditVia, Prune, Store,
    testing::{at, page},
};

fn object(value: Value) -> Option<Map<String, Value>> {
    value.as_object().cloned()
}

fn entry(ms: i64, who: &str, operation: &str) -> AuditEntry {
    AuditEntry {
        at: at(ms),
        who: who.to_owned(),
        via: AuditVia::ApiKey,
        operation: operation.to_owned(),
        object: Some("destinations/a".to_owned()),
        before: object(json!({"gate": "open"})),
        after: object(json!({"gate": "held"})),
        outcome: AuditOutcome::Done,
        code: None,
        request_id: Some("1f".to_owned()),
    }
}

pub(crate) async fn entries_are_listed_newest_first_by_every_filter(store: &dyn Store) {
    let refused = AuditEntry {
        via: AuditVia::Session,
        object: None,
        before: None,
        after: None,
        outcome: AuditOutcome::Refused,
        code: Some("conflict".to_owned()),
        request_id: None,
        ..entry(3, "ann", "reload")
    };
    let all = [entry(1, "ann", "pause"), entry(2, "bob", "pause"), refused, entry(4, "bob", "resume")];
    for entry in &all {
        store.add_audit(entry.clone()).await.unwrap();
    }
    let found = async |filter: AuditFilter| {
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let part = store.audit_log(filter.clone(), page(before, 1)).await.unwrap();
            found.extend(part.items.into_iter().map(|record| record.entry));
            match part.next {
                Some(next) => before = Some(next),
                None => return found,
            }
        }
    };
    let expected = |numbers: &[usize]| numbers.iter().map(|number| all[*number].clone()).collect::<Vec<_>>();
    let text = |text: &str| Some(text.to_owned());
    let none = AuditFilter::default;
    assert_eq!(found(none()).await, expected(&[3, 2, 1, 0]));
    assert_eq!(found(AuditFilter { who: text("ann"), ..none() }).await, expected(&[2, 0]));
    assert_eq!(found(AuditFilter { operation: text("pause"), ..none() }).await, expected(&[1, 0]));
    let both = AuditFilter { who: text("bob"), operation: text("pause"), ..none() };
    assert_eq!(found(both).await, expected(&[1]));
    let between = AuditFilter { since: Some(at(2)), until: Some(at(4)), ..none() };
    assert_eq!(found(between).await, expected(&[2, 1]));
    assert_eq!(found(AuditFilter { who: text("eve"), ..none() }).await, []);
}

pub(crate) async fn old_entries_go_and_their_ids_are_never_given_again(store: &dyn Store) {
    for ms in 1..=3 {
        store.add_audit(entry(ms, "ann", "pause")).await.unwrap();
    }
    let prune = |ms| Prune { audit_before: Some(at(ms)), limit: 2, ..Prune::default() };
    let first = store.prune(prune(4)).await.unwrap();
    assert_eq!((first.audit, first.more), (2, true), "as many as a chunk takes");
    assert_eq!(store.prune(prune(3)).await.unwrap().audit, 0, "not older than that");
    assert_eq!(store.prune(prune(4)).await.unwrap().audit, 1);
    store.add_audit(entry(9, "ann", "pause")).await.unwrap();
    let left = store.audit_log(AuditFilter::default(), page(None, 9)).await.unwrap();
    assert_eq!(left.items.iter().map(|record| record.id).collect::<Vec<_>>(), [4]);
}

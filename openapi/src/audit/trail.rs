//! The way of a request that may change something, to its entry in the audit log.
//!
//! The edge follows it, so no handler has to think of it, and a handler that is added is followed too.

use std::sync::{Arc, OnceLock};

use poem::http::Method;

use super::{AuditOutcome, NewAuditEntry};
use crate::{
    auth::Caller,
    operations::Object,
    port::Gateway,
    problem::{Code, Failure},
};

/// What the guard tells the edge: who it let in, or knew and did not let in.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<OnceLock<Caller>>);

impl Known {
    pub(crate) fn is(&self, caller: &Caller) {
        // A request has one guard.
        drop(self.0.set(caller.clone()));
    }
}

/// What only looks, though its method is one that changes things. Known beforehand: a request that is refused, or whose
/// body never comes, is none of the log's either.
pub(super) const LOOKS: [&str; 2] = ["explainRoutes", "validateConfiguration"];

/// Whether a request to the operation with this id may change something.
pub(crate) fn may_change(operation: &str, method: &Method) -> bool {
    !method.is_safe() && !LOOKS.contains(&operation)
}

/// A request that may change something. Dropped before its end, it leaves an entry that says so.
pub(crate) struct Trail<G: Gateway> {
    gateway: G,
    known: Known,
    operation: &'static str,
    object: Option<Object>,
    request_id: String,
    ended: bool,
}

impl<G: Gateway> Trail<G> {
    pub(crate) fn begin(
        gateway: G,
        operation: &'static str,
        object: Option<Object>,
        request_id: &str,
    ) -> Self {
        let (known, request_id) = (Known::default(), request_id.to_owned());
        Self { gateway, known, operation, object, request_id, ended: false }
    }

    /// For the guard.
    pub(crate) fn known(&self) -> Known {
        self.known.clone()
    }

    /// Keeps the entry. When this returns it is on disk, or the log says why it is not.
    pub(crate) async fn end(mut self, refused: Option<&Failure>) {
        self.ended = true;
        let (outcome, code) = match refused {
            None => (AuditOutcome::Done, None),
            Some(failure) if failure.is_fault() => (AuditOutcome::Failed, Some(failure.code())),
            Some(failure) => (AuditOutcome::Refused, Some(failure.code())),
        };
        if let Some(entry) = self.entry(outcome, code) {
            self.gateway.audit(entry).await;
        }
    }

    /// `None` for what nobody known wanted, and what changes nothing.
    fn entry(&self, outcome: AuditOutcome, code: Option<Code>) -> Option<NewAuditEntry> {
        let caller = self.known.0.get()?;
        let noted = caller.note.read();
        if noted.changes_nothing {
            return None;
        }
        // Somebody may have put a secret where a name belongs: only what was done there has shown that it is a name.
        let of_path = |object: &Object| {
            if outcome == AuditOutcome::Done { &object.named } else { &object.kind }.clone()
        };
        Some(NewAuditEntry {
            who: caller.name.clone(),
            via: caller.via,
            operation: self.operation.to_owned(),
            object: noted.object.or_else(|| self.object.as_ref().map(of_path)),
            before: noted.before,
            // It may have been noted before the change failed.
            after: noted.after.filter(|_| outcome == AuditOutcome::Done),
            outcome,
            code,
            request_id: Some(self.request_id.clone()),
        })
    }
}

impl<G: Gateway> Drop for Trail<G> {
    fn drop(&mut self) {
        if !self.ended
            && let Some(entry) = self.entry(AuditOutcome::Unknown, None)
        {
            // It is begun, which is all that can be done for a caller who is gone.
            drop(self.gateway.audit(entry));
        }
    }
}

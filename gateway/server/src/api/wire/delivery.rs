//! Deliveries and their attempts.

use std::collections::BTreeMap;

use postroom_core::outcome::OutcomeKind;
use postroom_openapi::deliveries;
use postroom_store::{AttemptRecord, DeliveryRecord};

use super::{moment, state};

pub(in crate::api) fn delivery(
    record: DeliveryRecord,
    attempts: Option<Vec<(u32, AttemptRecord)>>,
) -> deliveries::Delivery {
    deliveries::Delivery {
        id: record.id.to_string(),
        event_id: record.event.to_string(),
        destination: record.destination.to_string(),
        route: record.route.to_string(),
        replay_of: record.replay_of.map(|id| id.to_string()),
        replayed_by: record.replayed_by.map(|id| id.to_string()),
        replay: record.replay.map(|id| id.to_string()),
        lane: record.lane.to_string(),
        state: state(record.state),
        attempts_made: record.attempts,
        next_attempt_at: record.due.map(moment),
        created_at: moment(record.created_at),
        finished_at: record.finished_at.map(moment),
        last_outcome: record.last_outcome.map(|last| deliveries::OutcomeSummary {
            kind: outcome(last.kind),
            code: filled(last.code),
            message: filled(last.message),
        }),
        attempts: attempts.map(|attempts| attempts.into_iter().map(attempt).collect()),
    }
}

fn attempt((number, record): (u32, AttemptRecord)) -> deliveries::Attempt {
    let AttemptRecord { started_at, finished_at, outcome: made } = record;
    deliveries::Attempt {
        number,
        started_at: moment(started_at),
        finished_at: moment(finished_at),
        outcome: outcome(made.kind),
        code: filled(made.code),
        message: filled(made.message),
        record: made.record_json.and_then(|json| {
            // The host has checked that it is an object; the store gives back what it got.
            serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&json).ok()
        }),
    }
}

fn outcome(outcome: OutcomeKind) -> deliveries::OutcomeKind {
    match outcome {
        OutcomeKind::Delivered => deliveries::OutcomeKind::Delivered,
        OutcomeKind::Skipped => deliveries::OutcomeKind::Skipped,
        OutcomeKind::Retry => deliveries::OutcomeKind::Retry,
        OutcomeKind::RateLimited => deliveries::OutcomeKind::RateLimited,
        OutcomeKind::Permanent => deliveries::OutcomeKind::Permanent,
        OutcomeKind::Misconfigured => deliveries::OutcomeKind::Misconfigured,
    }
}

pub(super) fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

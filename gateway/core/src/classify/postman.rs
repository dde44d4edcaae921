//! What each of Postman's shapes says: subject, verdict and facts.

use super::{
    Classification,
    found::{Field, Found},
};
use crate::{
    event::{Facts, Kind, Verdict},
    monitor::Numbers,
};

pub(super) fn monitor_run(mut found: Found, source: &str) -> Classification {
    let monitor_id = found.take_id(Field::MonitorUid);
    let monitor_name = found.take_text(Field::MonitorName);
    let ordering_key = match (&monitor_id, &monitor_name) {
        (Some(id), _) => format!("monitor:{id}"),
        // Without an id the name, blanks included, is the best that tells monitors apart.
        (None, Some(name)) => format!("monitor-name:{name}"),
        (None, None) => format!("monitor:source:{source}"),
    };
    Classification {
        kind: Kind::MonitorRun,
        subject: monitor_id.clone(),
        ordering_key,
        verdict: Some(verdict(&found)),
        facts: Facts { monitor_name, monitor_id, ..common_facts(&mut found) },
        note: None,
    }
}

/// `failed` if any counted failure is above zero, `passed` only if both counters are there and zero.
/// Two spellings are in the wild; Postman's documents have the first.
fn verdict(found: &Found) -> Verdict {
    let failed_tests = found.counter([Field::FailedTests, Field::FailedTestCount]);
    let errors = found.counter([Field::Errors, Field::ErrorCount]);
    let any_failure = [failed_tests, errors].into_iter().flatten().any(|count| count > 0.0);
    match (failed_tests, errors) {
        _ if any_failure => Verdict::Failed,
        (Some(_), Some(_)) => Verdict::Passed,
        _ => Verdict::Unknown,
    }
}

/// What a run counted, in either spelling.
pub(super) fn numbers(found: &Found) -> Numbers {
    #[expect(clippy::cast_possible_truncation, reason = "no counter is negative, and `as` saturates")]
    let small = |fields: [Field; 2]| found.counter(fields).map(|count| count as u32);
    #[expect(clippy::cast_possible_truncation, reason = "no counter is negative, and `as` saturates")]
    let large = |field: Field| found.counter([field]).map(|count| count as u64);
    Numbers {
        requests: small([Field::RequestCount; 2]),
        latency_total_ms: large(Field::TotalLatency),
        passed_tests: small([Field::PassedTests, Field::PassedTestCount]),
        failed_tests: small([Field::FailedTests, Field::FailedTestCount]),
        errors: small([Field::Errors, Field::ErrorCount]),
        warnings: small([Field::Warnings, Field::WarningCount]),
    }
}

pub(super) fn collection_backup(mut found: Found, source: &str) -> Classification {
    // Format v1 and some legacy files have no `info`: name and id stand at the root of the collection.
    let name = found.take_text(Field::InfoName).or_else(|| found.take_text(Field::RootName));
    let id = [
        Field::InfoPostmanId,
        Field::InfoUid,
        Field::InfoId,
        Field::RootPostmanId,
        Field::RootUid,
        Field::RootId,
    ]
    .into_iter()
    .find_map(|field| found.take_id(field));
    let ordering_key = match &id {
        Some(id) => format!("collection:{id}"),
        None => format!("collection:source:{source}"),
    };
    Classification {
        kind: Kind::CollectionBackup,
        subject: id.clone(),
        ordering_key,
        verdict: None,
        facts: Facts { collection_name: name, collection_id: id, ..Facts::default() },
        note: None,
    }
}

pub(super) fn activity(mut found: Found, source: &str) -> Classification {
    let facts = Facts {
        action: found.take_text(Field::Action),
        model: found.take_text(Field::Model),
        ..common_facts(&mut found)
    };
    let ordering_key = match &facts.collection_id {
        Some(id) => format!("activity:{id}"),
        None => format!("activity:source:{source}"),
    };
    Classification {
        kind: Kind::Activity,
        subject: facts.collection_id.clone(),
        ordering_key,
        verdict: None,
        facts,
        note: None,
    }
}

fn common_facts(found: &mut Found) -> Facts {
    Facts {
        collection_name: found.take_text(Field::CollectionName),
        collection_id: found.take_id(Field::CollectionUid),
        environment_name: found.take_text(Field::EnvironmentName),
        environment_id: found.take_id(Field::EnvironmentUid),
        ..Facts::default()
    }
}

//! What each of Postman's shapes says: subject, verdict and facts.

use super::{
    Classification,
    fields::{self, Object},
    scan::TopLevel,
};
use crate::event::{Facts, Kind, Verdict};

pub(super) fn monitor_run(top: &TopLevel<'_>, source: &str) -> Classification {
    let monitor_id = fields::id(top.monitor_uid);
    let monitor_name = fields::text(top.monitor_name);
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
        verdict: Some(verdict(&Object::of(top.metrics))),
        facts: Facts { monitor_name, monitor_id, ..common_facts(top) },
        note: None,
    }
}

/// `failed` if any counted failure is above zero, `passed` only if both counters are there and zero.
/// Two spellings are in the wild; Postman's documents have the first.
fn verdict(metrics: &Object<'_>) -> Verdict {
    let failed_tests = metrics.counter(&["failedTests", "failedTestCount"]);
    let errors = metrics.counter(&["errors", "errorCount"]);
    let any_failure = [failed_tests, errors].into_iter().flatten().any(|count| count > 0.0);
    match (failed_tests, errors) {
        _ if any_failure => Verdict::Failed,
        (Some(_), Some(_)) => Verdict::Passed,
        _ => Verdict::Unknown,
    }
}

pub(super) fn collection_backup(top: &TopLevel<'_>, source: &str) -> Classification {
    let collection = Object::of(top.collection);
    let info = collection.object("info");
    // Format v1 and some legacy files have no `info`: name and id stand at the root of the collection.
    let name = info.text("name").or_else(|| collection.text("name"));
    let id = ["_postman_id", "uid", "id"]
        .into_iter()
        .find_map(|key| info.id(key))
        .or_else(|| ["_postman_id", "uid", "id"].into_iter().find_map(|key| collection.id(key)));
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

pub(super) fn activity(top: &TopLevel<'_>, source: &str) -> Classification {
    let facts =
        Facts { action: fields::text(top.action), model: fields::text(top.model), ..common_facts(top) };
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

fn common_facts(top: &TopLevel<'_>) -> Facts {
    Facts {
        collection_name: fields::text(top.collection_name),
        collection_id: fields::id(top.collection_uid),
        environment_name: fields::text(top.environment_name),
        environment_id: fields::id(top.environment_uid),
        ..Facts::default()
    }
}

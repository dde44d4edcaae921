//! Routes and dead letters.

use std::time::Duration;

use postroom_core::route::{Conditions, Route};
use postroom_openapi::{
    dead_letters::{DeadLetterGroup, DeadLetterList},
    deliveries, routes,
};
use postroom_store::{DeadGroup, DeadLetters};

use super::{delivery::filled, moment};

pub(in crate::api) fn route(position: u32, route: &Route) -> routes::Route {
    let Route { name, conditions, to } = route;
    let Conditions { kinds, sources, labels, monitor, collection, environment, verdict, action, model, when } =
        conditions;
    routes::Route {
        name: name.to_string(),
        position,
        kinds: texts(kinds),
        sources: texts(sources),
        labels: labels.iter().map(|(name, pattern)| (name.clone(), pattern.to_string())).collect(),
        monitor: texts(monitor),
        collection: texts(collection),
        environment: texts(environment),
        verdict: texts(verdict),
        action: texts(action),
        model: texts(model),
        when: when.as_ref().map(ToString::to_string),
        to: texts(to),
    }
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

pub(in crate::api) fn dead_letters(found: &DeadLetters) -> DeadLetterList {
    DeadLetterList { items: found.groups.iter().cloned().map(dead_group).collect(), is_more: found.is_more }
}

fn dead_group(group: DeadGroup) -> DeadLetterGroup {
    // Before the next millisecond: the end of a filter is not in it.
    let created_before = group.last_made.plus(Duration::from_millis(1));
    DeadLetterGroup {
        filter: deliveries::DeliveryFilter {
            state: Some(deliveries::DeliveryState::Dead),
            destination: Some(group.destination.to_string()),
            created_after: Some(moment(group.first_made)),
            created_before: Some(moment(created_before)),
            ..deliveries::DeliveryFilter::default()
        },
        destination: group.destination.to_string(),
        code: filled(group.code),
        message: filled(group.message),
        count: group.count,
        first_at: moment(group.first_dead),
        last_at: moment(group.last_dead),
        newest_delivery_id: group.newest.to_string(),
    }
}

//! Routes: rules that say which events go to which destinations, and that can say why.

mod condition;
mod expression;
mod pattern;

use std::collections::BTreeMap;

pub use self::{
    condition::Reason,
    expression::{Expression, ExpressionError, Undecided},
    pattern::{Pattern, PatternError},
};
use crate::{
    event::{Event, Kind, Verdict},
    id::{DestinationName, RouteName, SourceName},
};

/// A rule. Every condition that is set must hold; an empty one is not set. Lists mean "any of".
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// What the event is. Without any, everything but what the gateway makes itself.
    pub kinds: Vec<Kind>,
    /// The source it came in by.
    pub sources: Vec<SourceName>,
    /// Each named label must be there and match.
    pub labels: BTreeMap<String, Pattern>,
    /// The monitor's name or id.
    pub monitor: Vec<Pattern>,
    /// The collection's name or id.
    pub collection: Vec<Pattern>,
    /// The environment's name or id.
    pub environment: Vec<Pattern>,
    /// The run's verdict.
    pub verdict: Vec<Verdict>,
    /// An activity's action.
    pub action: Vec<Pattern>,
    /// What an activity touched.
    pub model: Vec<Pattern>,
    /// Anything else, as an expression over the same facts.
    pub when: Option<Expression>,
}

/// A named rule with the destinations it sends to.
#[derive(Debug, Clone)]
pub struct Route {
    /// Shown wherever a decision is explained.
    pub name: RouteName,
    /// When it applies.
    pub conditions: Conditions,
    /// Where it sends.
    pub to: Vec<DestinationName>,
}

/// One route's answer to one event, with a reason for each condition that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Which route.
    pub route: RouteName,
    /// Whether every condition holds.
    pub matched: bool,
    /// One reason per condition that is set; none for a route without conditions, which takes everything.
    pub reasons: Vec<Reason>,
}

/// Where an event goes: each destination once, with the first route that named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where to.
    pub destination: DestinationName,
    /// The first matching route that names the destination.
    pub route: RouteName,
}

/// The whole decision about an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Where the event goes, in the order of the routes.
    pub targets: Vec<Target>,
    /// What each route said, in order.
    pub explanations: Vec<Explanation>,
}

impl Route {
    /// Says whether this route takes `event`, and why.
    #[must_use]
    pub fn explain(&self, event: &Event) -> Explanation {
        let reasons = self.conditions.reasons(event);
        Explanation { route: self.name.clone(), matched: reasons.iter().all(|reason| reason.holds), reasons }
    }
}

/// Decides where `event` goes. Every matching route applies; a destination gets the event once.
#[must_use]
pub fn decide(routes: &[Route], event: &Event) -> Decision {
    let mut decision = Decision::default();
    for route in routes {
        let explanation = route.explain(event);
        if explanation.matched {
            for destination in &route.to {
                if decision.targets.iter().all(|target| target.destination != *destination) {
                    decision
                        .targets
                        .push(Target { destination: destination.clone(), route: route.name.clone() });
                }
            }
        }
        decision.explanations.push(explanation);
    }
    decision
}

#[cfg(test)]
mod tests;

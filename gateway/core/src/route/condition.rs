//! One condition at a time, with its reason. Matching is "every reason holds", so that an explanation can never
//! disagree with the decision.

use std::fmt;

use super::{Conditions, Expression, Pattern};
use crate::event::{Event, Kind, display_name};

const WHEN: &str = "when";
const HOLDS: &str = "true";
const FAILS: &str = "false";

/// Why one condition holds or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which condition: "kinds", "monitor", "labels.team", "when" …
    pub condition: String,
    /// What the route asks for.
    pub wanted: String,
    /// What the event has; empty when it has nothing there. For `when`: "true", "false", or why neither can be said.
    pub found: String,
    /// Whether they agree.
    pub holds: bool,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { condition, wanted, found, holds } = self;
        if condition == WHEN {
            return match found.as_str() {
                HOLDS | FAILS => write!(f, "{condition}: {wanted} is {found}"),
                _ => write!(f, "{condition}: {wanted} cannot be decided: {found}"),
            };
        }
        let verb = if *holds { "is" } else { "is not" };
        let found = if found.is_empty() { "nothing" } else { found };
        write!(f, "{condition}: {found} {verb} one of {wanted}")
    }
}

impl Conditions {
    pub(super) fn reasons(&self, event: &Event) -> Vec<Reason> {
        let facts = &event.facts;
        let name = |text: &Option<String>| text.as_deref().map(display_name).unwrap_or_default().to_owned();
        let id = |text: &Option<String>| text.clone().unwrap_or_default();

        let mut reasons = Reasons(Vec::new());
        reasons.kind(&self.kinds, event.kind);
        reasons.one_of("sources", &self.sources, Some(&event.source));
        for (label, pattern) in &self.labels {
            let value = event.labels.get(label).cloned().unwrap_or_default();
            reasons.matches(&format!("labels.{label}"), std::slice::from_ref(pattern), &[value]);
        }
        reasons.matches("monitor", &self.monitor, &[name(&facts.monitor_name), id(&facts.monitor_id)]);
        reasons.matches(
            "collection",
            &self.collection,
            &[name(&facts.collection_name), id(&facts.collection_id)],
        );
        reasons.matches(
            "environment",
            &self.environment,
            &[name(&facts.environment_name), id(&facts.environment_id)],
        );
        reasons.one_of("verdict", &self.verdict, event.verdict.as_ref());
        reasons.matches("action", &self.action, &[id(&facts.action)]);
        reasons.matches("model", &self.model, &[id(&facts.model)]);
        if let Some(when) = &self.when {
            reasons.holds(when, event);
        }
        reasons.0
    }
}

struct Reasons(Vec<Reason>);

impl Reasons {
    fn one_of<T: PartialEq + fmt::Display>(&mut self, condition: &str, wanted: &[T], found: Option<&T>) {
        if wanted.is_empty() {
            return;
        }
        self.0.push(Reason {
            condition: condition.to_owned(),
            wanted: list(wanted),
            found: found.map(ToString::to_string).unwrap_or_default(),
            holds: found.is_some_and(|found| wanted.contains(found)),
        });
    }

    /// What the gateway makes itself goes only where its kind is named: a route that takes everything takes what came in,
    /// not what is said about that as well.
    fn kind(&mut self, wanted: &[Kind], found: Kind) {
        if wanted.is_empty() && matches!(found, Kind::Made(_)) {
            self.0.push(Reason {
                condition: "kinds".to_owned(),
                wanted: "those that came in".to_owned(),
                found: found.to_string(),
                holds: false,
            });
        }
        self.one_of("kinds", wanted, Some(&found));
    }

    /// Holds when any pattern takes any of the texts that are there.
    fn matches(&mut self, condition: &str, wanted: &[Pattern], found: &[String]) {
        if wanted.is_empty() {
            return;
        }
        let found: Vec<&str> = found.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        self.0.push(Reason {
            condition: condition.to_owned(),
            wanted: list(wanted),
            holds: found.iter().any(|text| wanted.iter().any(|pattern| pattern.matches(text))),
            found: found.join(" / "),
        });
    }

    /// What cannot be decided does not hold.
    fn holds(&mut self, when: &Expression, event: &Event) {
        let (found, holds) = match when.holds(event) {
            Ok(true) => (HOLDS.to_owned(), true),
            Ok(false) => (FAILS.to_owned(), false),
            Err(undecided) => (undecided.to_string(), false),
        };
        self.0.push(Reason { condition: WHEN.to_owned(), wanted: when.to_string(), found, holds });
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

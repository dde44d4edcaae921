//! One condition at a time, with its reason. Matching is "every reason holds", so that an explanation can never
//! disagree with the decision.

use std::fmt;

use super::{Conditions, Pattern};
use crate::event::{Event, display_name};

/// Why one condition holds or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which condition: "kinds", "monitor", "labels.team" …
    pub condition: String,
    /// What the route asks for.
    pub wanted: String,
    /// What the event has; empty when it has nothing there.
    pub found: String,
    /// Whether they agree.
    pub holds: bool,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { condition, wanted, found, holds } = self;
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
        reasons.one_of("kinds", &self.kinds, Some(&event.kind));
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
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

//! What expressions can ask of an event. Never its body.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use cel::{
    common::{
        types::{CelInt, CelMap, CelMapKey, CelString},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};

use super::check::Type;
use crate::event::{Event, Kind, Verdict, display_name};

/// One thing to ask for. A text that the event does not have is empty.
enum Fact {
    Text(for<'e> fn(&'e Event) -> &'e str),
    Number(fn(&Event) -> u64),
    Labels(for<'e> fn(&'e Event) -> &'e BTreeMap<String, String>),
}

/// The fact that has words of its own besides those of plugins.
pub(super) const KIND: &str = "event.kind";

const FACTS: [(&str, Fact); 15] = [
    (KIND, Fact::Text(|event| event.kind.as_str())),
    ("event.source", Fact::Text(|event| event.source.as_str())),
    ("event.subject", Fact::Text(|event| text(&event.subject))),
    ("event.verdict", Fact::Text(|event| event.verdict.map_or("", Verdict::as_str))),
    ("event.labels", Fact::Labels(|event| &event.labels)),
    ("event.content_type", Fact::Text(|event| text(&event.content_type))),
    ("event.body_bytes", Fact::Number(|event| event.body_bytes)),
    ("monitor.name", Fact::Text(|event| name(&event.facts.monitor_name))),
    ("monitor.id", Fact::Text(|event| text(&event.facts.monitor_id))),
    ("collection.name", Fact::Text(|event| name(&event.facts.collection_name))),
    ("collection.id", Fact::Text(|event| text(&event.facts.collection_id))),
    ("environment.name", Fact::Text(|event| name(&event.facts.environment_name))),
    ("environment.id", Fact::Text(|event| text(&event.facts.environment_id))),
    ("activity.action", Fact::Text(|event| text(&event.facts.action))),
    ("activity.model", Fact::Text(|event| text(&event.facts.model))),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FACTS.iter().map(|(name, _)| *name)
}

/// What kind of thing a fact is; `None` when there is none of this name.
pub(super) fn type_of(name: &str) -> Option<Type> {
    Some(match find(name)? {
        Fact::Text(_) => Type::Text,
        Fact::Number(_) => Type::Number,
        Fact::Labels(_) => Type::Labels,
    })
}

/// All that a fact can be, where that is known beforehand; one that an event does not have is empty besides.
pub(super) fn words(name: &str) -> Option<Vec<&'static str>> {
    match name {
        KIND => Some(Kind::NAMES.to_vec()),
        "event.verdict" => Some(Verdict::ALL.map(Verdict::as_str).to_vec()),
        _ => None,
    }
}

fn find(name: &str) -> Option<&'static Fact> {
    FACTS.iter().find_map(|(known, fact)| (*known == name).then_some(fact))
}

fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// As people see it, and as the other conditions of a route match it.
fn name(name: &Option<String>) -> &str {
    display_name(text(name))
}

/// An event as expressions see it: each fact is looked up when it is asked for, and texts are not copied.
pub(super) struct FactsOf<'e> {
    event: &'e Event,
    /// Made once, however often an expression asks for it.
    labels: OnceLock<CelMap<'e>>,
}

impl<'e> FactsOf<'e> {
    pub(super) fn new(event: &'e Event) -> Self {
        Self { event, labels: OnceLock::new() }
    }
}

impl VariableResolver for FactsOf<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        Some(match find(variable)? {
            Fact::Text(of) => CowVal::owned(CelString::from(of(self.event))),
            Fact::Number(of) => {
                CowVal::owned(CelInt::from(i64::try_from(of(self.event)).unwrap_or(i64::MAX)))
            }
            Fact::Labels(of) => CowVal::Borrowed(self.labels.get_or_init(|| map(of(self.event)))),
        })
    }
}

fn map(labels: &BTreeMap<String, String>) -> CelMap<'_> {
    let entries = labels.iter().map(|(name, value)| -> (_, Box<dyn Val + '_>) {
        (CelMapKey::String(CelString::from(name.as_str())), Box::new(CelString::from(value.as_str())))
    });
    CelMap::from(entries.collect::<HashMap<_, _>>())
}

//! Which policy a monitor has.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Flap, Identity, Policy, SeverityRule, Silence, Treat};
use crate::{event::display_name, route::Pattern, schedule::Schedule};

/// The policies of all monitors.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What holds for every monitor.
    pub defaults: PolicySettings,
    /// What holds for some: each that matches applies, in order, so a later one wins, field by field.
    pub rules: Vec<Rule>,
}

/// What holds for some monitors.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// For which.
    pub matching: Matching,
    /// What.
    pub settings: PolicySettings,
}

/// Every condition that is set must hold; an empty one is not set. Lists mean "any of".
#[derive(Debug, Clone, Default)]
pub struct Matching {
    /// The monitor's name or id.
    pub monitor: Vec<Pattern>,
    /// The collection's name or id.
    pub collection: Vec<Pattern>,
    /// The environment's name or id.
    pub environment: Vec<Pattern>,
    /// Each named label must be there and match.
    pub labels: BTreeMap<String, Pattern>,
}

/// Some fields of a [`Policy`]; those that are absent are left as they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicySettings {
    /// See [`Policy::open_after`].
    pub open_after: Option<u32>,
    /// See [`Policy::resolve_after`].
    pub resolve_after: Option<u32>,
    /// See [`Policy::remind_every`].
    pub remind_every: Option<Option<Duration>>,
    /// See [`Policy::flap`].
    pub flap: Option<Option<Flap>>,
    /// See [`Policy::empty_runs`].
    pub empty_runs: Option<Treat>,
    /// See [`Policy::unknown_runs`].
    pub unknown_runs: Option<Treat>,
    /// See [`Policy::severity`].
    pub severity: Option<Arc<[SeverityRule]>>,
    /// See [`Policy::silence`].
    pub silence: Option<Silence>,
    /// See [`Policy::maintenance`].
    pub maintenance: Option<Option<Arc<Schedule>>>,
    /// See [`Policy::slo`].
    pub slo: Option<Option<f64>>,
}

impl Rules {
    /// The policy of a monitor.
    #[must_use]
    pub fn policy(&self, monitor: &Identity) -> Policy {
        let mut policy = Policy::default();
        let matching = self.rules.iter().filter(|rule| rule.matching.holds(monitor));
        for settings in std::iter::once(&self.defaults).chain(matching.map(|rule| &rule.settings)) {
            settings.apply(&mut policy);
        }
        policy
    }
}

impl Matching {
    /// Whether it holds for `monitor`.
    #[must_use]
    pub fn holds(&self, monitor: &Identity) -> bool {
        let Identity { name, collection_name, environment_name, .. } = monitor;
        names_any(&self.monitor, name.as_deref(), Some(&monitor.uid))
            && names_any(&self.collection, collection_name.as_deref(), monitor.collection_id.as_deref())
            && names_any(&self.environment, environment_name.as_deref(), monitor.environment_id.as_deref())
            && self
                .labels
                .iter()
                .all(|(name, pattern)| monitor.labels.get(name).is_some_and(|value| pattern.matches(value)))
    }
}

/// Whether one of `patterns` fits the name, as people see it, or the id; none is no condition.
pub(super) fn names_any(patterns: &[Pattern], name: Option<&str>, id: Option<&str>) -> bool {
    let mut texts = [name.map(display_name), id].into_iter().flatten();
    patterns.is_empty() || texts.any(|text| patterns.iter().any(|pattern| pattern.matches(text)))
}

impl PolicySettings {
    fn apply(&self, policy: &mut Policy) {
        fn set<T: Clone>(field: &mut T, setting: &Option<T>) {
            if let Some(value) = setting {
                field.clone_from(value);
            }
        }
        set(&mut policy.open_after, &self.open_after);
        set(&mut policy.resolve_after, &self.resolve_after);
        set(&mut policy.remind_every, &self.remind_every);
        set(&mut policy.flap, &self.flap);
        set(&mut policy.empty_runs, &self.empty_runs);
        set(&mut policy.unknown_runs, &self.unknown_runs);
        set(&mut policy.severity, &self.severity);
        set(&mut policy.silence, &self.silence);
        set(&mut policy.maintenance, &self.maintenance);
        set(&mut policy.slo, &self.slo);
    }
}

//! Every setting of a configuration by its path, to tell two configurations apart.
//!
//! The structures are taken apart field by field, so that a new setting does not compile until somebody has said here
//! what a change of it takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use postroom_core::{
    id::DestinationName,
    monitor::{BackupRule, Matching, PolicySettings, Rule, Rules},
    route::{Conditions, Route},
    secret::Secret,
};
use sha2::{Digest, Sha256};

use super::{
    ApiKey, ApiLimits, Config, Destination, Enrich, PluginConfig, PluginRef, Plugins, Retention, Server,
    Source, Store, Tracker, read::join, resolve::Resolved,
};

/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 8;

/// What a change of a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The running gateway goes on with it.
    Live,
    /// The destination gets a new process.
    Process,
    /// The destination's process is told of it.
    Secrets,
    /// It is read at the start of the gateway only.
    Restart,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    value: String,
    effect: Effect,
    /// Of which destination it is.
    destination: Option<DestinationName>,
    /// Neither a secret nor about this machine: it counts for the fingerprint.
    shared: bool,
}

/// All settings of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    by_path: BTreeMap<String, Setting>,
    destinations: BTreeSet<DestinationName>,
}

/// How a configuration differs from the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Paths of settings that a running gateway can go on with; also the destinations that came or went.
    pub(crate) applied: Vec<String>,
    /// Paths of settings that are read at the start only.
    pub(crate) needs_restart: Vec<String>,
    /// Destinations that need a new process.
    pub(crate) reloaded: BTreeSet<DestinationName>,
    /// Destinations of which only secrets have changed, as far as their process is concerned.
    pub(crate) rotated: BTreeSet<DestinationName>,
    /// Destinations that are new.
    pub(crate) added: BTreeSet<DestinationName>,
    /// Destinations that are gone.
    pub(crate) removed: BTreeSet<DestinationName>,
}

impl Changes {
    /// Whether something at `path` or below it goes over.
    pub(crate) fn touch(&self, path: &str) -> bool {
        self.applied.iter().any(|applied| is_within(applied, path))
    }

    /// Whether something at `path` or below it goes over, other than what is at `but` or below that.
    pub(crate) fn touch_beside(&self, path: &str, but: &str) -> bool {
        self.applied.iter().any(|applied| is_within(applied, path) && !is_within(applied, but))
    }
}

fn is_within(setting: &str, path: &str) -> bool {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    setting.strip_prefix(path).is_some_and(is_below)
}

impl Settings {
    /// All settings of `config`, whose destinations are `resolved`. `file` tells the present file of a plugin from others.
    pub(crate) fn of(config: &Config, resolved: &[Resolved], file: impl Fn(&Resolved) -> String) -> Self {
        // What is no setting: where the file lies, faults that no longer count, and what people are shown.
        let Config {
            file: _,
            folder: _,
            named_kinds: _,
            listing: _,
            server,
            store,
            retention,
            plugins,
            tracker,
            api,
            api_keys,
            sources,
            destinations: _,
            routes,
        } = config;
        let mut list = List::default();
        list.gateway(server, store, retention, plugins);
        list.tracker(tracker);
        let ApiLimits { requests_per_second, failures_per_minute } = api;
        list.add("api.requests_per_second", requests_per_second, Effect::Live);
        list.add("api.failures_per_minute", failures_per_minute, Effect::Live);
        api_keys.iter().for_each(|key| list.api_key(key));
        sources.iter().for_each(|source| list.source(source));
        let names: Vec<_> = routes.iter().map(|route| &route.name).collect();
        list.add("route", &names, Effect::Live);
        routes.iter().for_each(|route| list.route(route));
        for resolved in resolved {
            list.destination(&resolved.destination, &resolved.plugin.manifest.version);
            list.of_destination(&resolved.destination.name, "file", file(resolved), Effect::Process, false);
        }
        let destinations = resolved.iter().map(|resolved| resolved.destination.name.clone()).collect();
        Self { by_path: list.0, destinations }
    }

    /// What tells configurations apart that mean different things, on any machine. It holds nothing of a secret.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (path, setting) in self.by_path.iter().filter(|(_, setting)| setting.shared) {
            for text in [path, &setting.value] {
                hash.update(text.len().to_le_bytes());
                hash.update(text);
            }
        }
        hash.finalize().iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// How `new` differs from these.
    pub(crate) fn changes(&self, new: &Self) -> Changes {
        let mut changes = Changes {
            added: new.destinations.difference(&self.destinations).cloned().collect(),
            removed: self.destinations.difference(&new.destinations).cloned().collect(),
            ..Changes::default()
        };
        let mut secrets = BTreeSet::new();
        let paths: BTreeSet<&String> = self.by_path.keys().chain(new.by_path.keys()).collect();
        for path in paths {
            let (before, after) = (self.by_path.get(path), new.by_path.get(path));
            let Some(setting) = after.or(before).filter(|_| before != after) else { continue };
            let destination = setting.destination.as_ref();
            if destination.is_some_and(|name| changes.added.contains(name) || changes.removed.contains(name))
            {
                continue;
            }
            match (setting.effect, destination) {
                (Effect::Restart, _) => {
                    changes.needs_restart.push(path.clone());
                    continue;
                }
                (Effect::Process, Some(name)) => drop(changes.reloaded.insert(name.clone())),
                (Effect::Secrets, Some(name)) => drop(secrets.insert(name.clone())),
                _ => {}
            }
            changes.applied.push(path.clone());
        }
        let came_or_went = changes.added.iter().chain(&changes.removed);
        changes.applied.extend(came_or_went.map(|name| join("destination", name.as_str())));
        changes.rotated = &secrets - &changes.reloaded;
        changes
    }

    /// These, with what the gateway goes on with after `new` was applied: it keeps what needs a restart.
    pub(crate) fn after(&self, new: Self) -> Self {
        let is_kept = |setting: &Setting| setting.effect == Effect::Restart;
        let kept = self.by_path.iter().filter(|(_, setting)| is_kept(setting));
        let taken = new.by_path.into_iter().filter(|(_, setting)| !is_kept(setting));
        Self {
            by_path: kept.map(|(path, setting)| (path.clone(), setting.clone())).chain(taken).collect(),
            destinations: new.destinations,
        }
    }
}

/// Settings as they are listed.
#[derive(Default)]
struct List(BTreeMap<String, Setting>);

impl List {
    fn put(&mut self, path: String, value: String, effect: Effect) -> &mut Setting {
        let setting = Setting { value, effect, destination: None, shared: true };
        self.0.entry(path).insert_entry(setting).into_mut()
    }

    fn add(&mut self, path: &str, value: &impl Debug, effect: Effect) {
        self.put(path.to_owned(), format!("{value:?}"), effect);
    }

    fn of_destination(
        &mut self,
        name: &DestinationName,
        key: &str,
        value: String,
        effect: Effect,
        shared: bool,
    ) {
        let path = join(&join("destination", name.as_str()), key);
        let setting = self.put(path, value, effect);
        (setting.destination, setting.shared) = (Some(name.clone()), shared);
    }

    fn gateway(&mut self, server: &Server, store: &Store, retention: &Retention, plugins: &Plugins) {
        let Server { listen, public_url, drain } = server;
        self.add("server.listen", listen, Effect::Restart);
        // It stands in what commands print, and says whether cookies are for https alone.
        self.add("server.public_url", public_url, Effect::Live);
        self.add("server.drain", drain, Effect::Restart);
        let Store { path } = store;
        self.add("store.url", path, Effect::Restart);
        let Retention { events, dead_letters, size_bytes, idempotency_keys, replays, audit } = retention;
        self.add("retention.events", events, Effect::Restart);
        self.add("retention.dead_letters", dead_letters, Effect::Restart);
        self.add("retention.size", size_bytes, Effect::Restart);
        self.add("retention.idempotency_keys", idempotency_keys, Effect::Restart);
        self.add("retention.replays", replays, Effect::Restart);
        self.add("retention.audit", audit, Effect::Restart);
        let Plugins { path, watch } = plugins;
        self.add("plugins.path", path, Effect::Live);
        self.add("plugins.watch", watch, Effect::Live);
    }

    fn tracker(&mut self, tracker: &Tracker) {
        let Tracker { enabled, history, rules, backups, metrics_monitors_max, enrich } = tracker;
        let Rules { defaults, rules } = rules;
        self.add("tracker.enabled", enabled, Effect::Live);
        self.add("tracker.history", history, Effect::Restart);
        self.add("tracker.metrics_monitors_max", metrics_monitors_max, Effect::Live);
        self.policy("tracker", defaults);
        for (number, Rule { matching, settings }) in rules.iter().enumerate() {
            let Matching { monitor, collection, environment, labels } = matching;
            let at = format!("tracker.rule[{number}]");
            self.add(&join(&at, "monitor"), monitor, Effect::Live);
            self.add(&join(&at, "collection"), collection, Effect::Live);
            self.add(&join(&at, "environment"), environment, Effect::Live);
            self.add(&join(&at, "labels"), labels, Effect::Live);
            self.policy(&at, settings);
        }
        for (number, BackupRule { collection, overdue_after }) in backups.iter().enumerate() {
            let at = format!("tracker.backup[{number}]");
            self.add(&join(&at, "collection"), collection, Effect::Live);
            self.add(&join(&at, "overdue_after"), overdue_after, Effect::Live);
        }
        if let Some(Enrich { api_key, base_url, wait }) = enrich {
            self.put("tracker.enrich.api_key".to_owned(), digest([api_key]), Effect::Live).shared = false;
            self.add("tracker.enrich.base_url", base_url, Effect::Live);
            self.add("tracker.enrich.wait", wait, Effect::Live);
        }
    }

    fn policy(&mut self, at: &str, settings: &PolicySettings) {
        let PolicySettings {
            open_after,
            resolve_after,
            remind_every,
            flap,
            empty_runs,
            unknown_runs,
            severity,
            silence,
            maintenance,
            slo,
        } = settings;
        let mut add = |key: &str, value: &dyn Debug| self.add(&join(at, key), &value, Effect::Live);
        add("open_after", open_after);
        add("resolve_after", resolve_after);
        add("remind_every", remind_every);
        add("flap", flap);
        add("empty_runs", empty_runs);
        add("unknown_runs", unknown_runs);
        add("severity", severity);
        add("silence", silence);
        add("maintenance", maintenance);
        add("slo", slo);
    }

    fn api_key(&mut self, api_key: &ApiKey) {
        let ApiKey { name, role, key } = api_key;
        let at = join("api_key", name);
        self.add(&join(&at, "role"), role, Effect::Live);
        self.put(join(&at, "key"), digest([key]), Effect::Live).shared = false;
    }

    fn source(&mut self, source: &Source) {
        let Source { name, tokens, body_bytes_max, requests_per_second, labels } = source;
        let at = join("source", name.as_str());
        self.put(join(&at, "tokens"), digest(tokens), Effect::Live).shared = false;
        self.add(&join(&at, "body_limit"), body_bytes_max, Effect::Live);
        self.add(&join(&at, "requests_per_second"), requests_per_second, Effect::Live);
        self.add(&join(&at, "labels"), labels, Effect::Live);
    }

    fn route(&mut self, route: &Route) {
        let Route { name, conditions, to } = route;
        let Conditions {
            kinds,
            sources,
            labels,
            monitor,
            collection,
            environment,
            verdict,
            action,
            model,
            when,
        } = conditions;
        let at = join("route", name.as_str());
        let mut add = |key: &str, value: &dyn Debug| self.add(&join(&at, key), &value, Effect::Live);
        add("kinds", kinds);
        add("sources", sources);
        add("labels", labels);
        add("monitor", monitor);
        add("collection", collection);
        add("environment", environment);
        add("verdict", verdict);
        add("action", action);
        add("model", model);
        add("when", when);
        add("to", to);
    }

    fn destination(&mut self, destination: &Destination, version: &str) {
        let Destination {
            name,
            plugin,
            config,
            retry,
            concurrency,
            deliveries_per_second,
            schedule,
            backlog,
            attempt_max,
            extend_max,
            sandbox,
            sha256,
            state,
            emit,
        } = destination;
        let PluginRef { name: wanted, destination_path: _, position: _ } = plugin;
        let PluginConfig { json, secrets, .. } = config;
        let values = secrets.iter().flat_map(|(name, secret)| [Secret::new(name), secret.clone()]);
        let secrets = digest(&values.collect::<Vec<_>>());
        self.of_destination(name, "secrets", secrets, Effect::Secrets, false);
        let mut add = |key: &str, value: &dyn Debug, effect| {
            self.of_destination(name, key, format!("{value:?}"), effect, true);
        };
        add("plugin", &(wanted, version), Effect::Process);
        add("config", &json.to_string(), Effect::Process);
        add("sandbox", &sandbox.mode, Effect::Process);
        add("grant", &sandbox.grant, Effect::Process);
        add("sha256", sha256, Effect::Process);
        add("state", state, Effect::Process);
        add("emit", emit, Effect::Process);
        add("concurrency", concurrency, Effect::Process);
        add("retry", retry, Effect::Live);
        add("deliveries_per_second", deliveries_per_second, Effect::Live);
        add("schedule", schedule, Effect::Live);
        add("backlog", backlog, Effect::Live);
        add("timeout", attempt_max, Effect::Live);
        add("timeout_max", extend_max, Effect::Live);
    }
}

/// Tells secrets apart without keeping them.
fn digest<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> String {
    let mut hash = Sha256::new();
    for secret in secrets {
        hash.update(secret.expose().len().to_le_bytes());
        hash.update(secret.expose());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;

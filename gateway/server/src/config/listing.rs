//! The settings in force as people see them: each with its value and where that comes from, and none with a secret.
//!
//! What the file says is shown as it stands there. What it leaves open and belongs to the gateway itself is shown too. The
//! `config` of a destination is left to [`Listing::with_plugins`]: only a plugin's schema tells which of it is secret.

mod described;

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value as Json};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use self::described::Described;
use super::{
    Config, Overrides,
    destination::Destination,
    fault::Collector,
    read::join,
    resolve::Resolved,
    secrets, units,
    variables::{PLUGINS_PATH, SERVER_LISTEN, SERVER_PUBLIC_URL, STORE_URL},
};

/// What is shown of a secret.
const HIDDEN: &str = "\"***\"";
/// Lists of tables that have names.
const NAMED: [&str; 4] = ["api_key", "source", "destination", "route"];

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    /// The line.
    File(usize),
    /// The variable.
    Environment(&'static str),
    Flag,
}

/// A setting as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// In the notation of TOML.
    pub(crate) value: String,
    pub(crate) origin: Origin,
    /// Whether the file has another value by now.
    pub(crate) needs_restart: bool,
}

/// All settings by their paths.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing(BTreeMap<String, Listed>);

/// A setting of the gateway itself, which has a value also when nobody has said one.
type Own = (&'static str, fn(&Config) -> Option<String>);

const OWN: [Own; 17] = [
    ("server.listen", |config| Some(quoted(&config.server.listen.to_string()))),
    ("server.public_url", |config| config.server.public_url.as_deref().map(quoted)),
    ("server.drain", |config| Some(quoted(&units::shown_duration(config.server.drain)))),
    ("store.url", |config| Some(quoted(&format!("sqlite:{}", config.store.path.display())))),
    ("plugins.path", |config| {
        let folders = config.plugins.path.iter().map(|folder| quoted(&folder.display().to_string()));
        Some(list(folders))
    }),
    ("plugins.watch", |config| Some(config.plugins.watch.to_string())),
    ("retention.events", |config| Some(age(config.retention.events))),
    ("retention.dead_letters", |config| Some(age(config.retention.dead_letters))),
    ("retention.size", |config| {
        let size = config.retention.size_bytes.map(units::shown_bytes);
        Some(quoted(size.as_deref().unwrap_or("unlimited")))
    }),
    ("retention.idempotency_keys", |config| Some(age(Some(config.retention.idempotency_keys)))),
    ("retention.replays", |config| Some(age(Some(config.retention.replays)))),
    ("retention.audit", |config| Some(age(Some(config.retention.audit)))),
    ("api.requests_per_second", |config| Some(config.api.requests_per_second.to_string())),
    ("api.failures_per_minute", |config| Some(config.api.failures_per_minute.to_string())),
    ("tracker.enabled", |config| Some(config.tracker.enabled.to_string())),
    ("tracker.history", |config| Some(age(config.tracker.history))),
    ("tracker.metrics_monitors_max", |config| Some(config.tracker.metrics_monitors_max.to_string())),
];

impl Listing {
    /// Of what was read of a file, and what stands above it. `config` has the values in force.
    pub(super) fn of(
        document: &Spanned<DeTable<'_>>,
        places: &Collector<'_>,
        config: &Config,
        (env, flags): (&Overrides, &Overrides),
    ) -> Self {
        let mut listing = Self::default();
        Walk { listing: &mut listing, places }.table("", document.get_ref(), Secrecy::Open);
        for (path, value) in OWN {
            let origin = match above(path, env, flags) {
                Some(origin) => origin,
                None if listing.0.contains_key(path) => continue,
                None => Origin::Default,
            };
            if let Some(value) = value(config) {
                listing.put(path.to_owned(), value, origin);
            }
        }
        listing
    }

    /// This, with the values of `before` for what holds until the gateway starts again.
    pub(crate) fn keeping(mut self, before: &Self, needs_restart: &[String]) -> Self {
        for path in needs_restart {
            match before.0.get(path) {
                Some(listed) => {
                    drop(self.0.insert(path.clone(), Listed { needs_restart: true, ..listed.clone() }));
                }
                None => drop(self.0.remove(path)),
            }
        }
        self
    }

    /// All settings, with those of the plugins as their schemas let them be shown.
    pub(crate) fn with_plugins(&self, resolved: &[Resolved]) -> impl Iterator<Item = (String, Listed)> {
        let mut listing = self.clone();
        for Resolved { destination, plugin } in resolved {
            listing.plugin(destination, plugin.manifest.config_schema.as_ref());
        }
        listing.0.into_iter()
    }

    fn plugin(&mut self, destination: &Destination, schema: Option<&Json>) {
        let at = join(&join("destination", destination.name.as_str()), "config");
        if let Json::Object(entries) = &destination.config.json {
            self.entries((&at, ""), entries, Described::by(schema).as_ref(), destination);
        }
    }

    fn entries(
        &mut self,
        (path, pointer): (&str, &str),
        entries: &Map<String, Json>,
        described: Option<&Described<'_>>,
        destination: &Destination,
    ) {
        for (key, value) in entries {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let described = described.and_then(|described| described.entry(key));
            self.setting((&join(path, key), &pointer), value, described.as_ref(), destination);
        }
    }

    fn setting(
        &mut self,
        (path, pointer): (&str, &str),
        value: &Json,
        described: Option<&Described<'_>>,
        destination: &Destination,
    ) {
        let is_list = |items: &[Json]| items.iter().all(|item| !item.is_object() && !item.is_array());
        let shown = match (value, described) {
            (Json::Object(entries), Some(_)) if !entries.contains_key("$secret") => {
                self.entries((path, pointer), entries, described, destination);
                return;
            }
            (Json::Array(items), Some(described)) if !is_list(items) => {
                let described = described.item();
                for (index, value) in items.iter().enumerate() {
                    let (path, pointer) = (format!("{path}[{index}]"), format!("{pointer}/{index}"));
                    self.setting((&path, &pointer), value, described.as_ref(), destination);
                }
                return;
            }
            (Json::Array(items), Some(described)) => {
                let is_shown = described.item().is_some();
                list(items.iter().map(|item| if is_shown { json(item) } else { HIDDEN.to_owned() }))
            }
            (Json::Object(_), Some(_)) | (_, None) => HIDDEN.to_owned(),
            (scalar, Some(_)) => json(scalar),
        };
        let origin = destination.config.position(pointer).map(|at| Origin::File(at.line));
        self.put(path.to_owned(), shown, origin.unwrap_or(Origin::Default));
    }

    fn put(&mut self, path: String, value: String, origin: Origin) {
        self.0.insert(path, Listed { value, origin, needs_restart: false });
    }
}

// Values are many, and one of them may be what somebody wrote in the wrong place.
impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listing").field(&self.0.len()).finish()
    }
}

/// What stands above the file for this setting.
fn above(path: &str, env: &Overrides, flags: &Overrides) -> Option<Origin> {
    let (variable, is_set): (_, fn(&Overrides) -> bool) = match path {
        "server.listen" => (SERVER_LISTEN, |given| given.listen.is_some()),
        "server.public_url" => (SERVER_PUBLIC_URL, |given| given.public_url.is_some()),
        "store.url" => (STORE_URL, |given| given.store.is_some()),
        "plugins.path" => (PLUGINS_PATH, |given| given.plugins_path.is_some()),
        _ => return None,
    };
    match (is_set(flags), is_set(env)) {
        (true, _) => Some(Origin::Flag),
        (false, true) => Some(Origin::Environment(variable)),
        (false, false) => None,
    }
}

/// Whether what stands at a place is a secret, unless it refers to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    Open,
    Secret,
}

struct Walk<'a, 'c> {
    listing: &'a mut Listing,
    places: &'a Collector<'c>,
}

impl Walk<'_, '_> {
    fn table(&mut self, path: &str, table: &DeTable<'_>, secrecy: Secrecy) {
        for (key, value) in table {
            let key: &str = key.get_ref();
            let below = join(path, key);
            let is_name = key == "name" && NAMED.iter().any(|list| is_item(path, list));
            let is_of_plugin = key == "config" && is_item(path, "destination");
            if !is_name && !is_of_plugin {
                let secrecy = if is_secret(path, key) { Secrecy::Secret } else { secrecy };
                self.value(&below, value, secrecy);
            }
        }
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>, secrecy: Secrecy) {
        match value.get_ref() {
            DeValue::Table(table) if secrecy == Secrecy::Open => self.table(path, table, secrecy),
            DeValue::Array(items)
                if items.iter().any(|item| item.get_ref().is_table()) && secrecy == Secrecy::Open =>
            {
                for (index, item) in items.iter().enumerate() {
                    let name =
                        item.get_ref().as_table().and_then(|table| table.get("name")?.get_ref().as_str());
                    let path = match name.filter(|_| NAMED.contains(&path)) {
                        Some(name) => join(path, name),
                        None => format!("{path}[{index}]"),
                    };
                    self.value(&path, item, secrecy);
                }
            }
            shown => {
                let line = self.places.position(value.span().start).line;
                self.listing.put(path.to_owned(), toml(shown, secrecy), Origin::File(line));
            }
        }
    }
}

/// Whether `path` is that of an item of the list called `list`.
fn is_item(path: &str, list: &str) -> bool {
    path.strip_prefix(list).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn is_secret(path: &str, key: &str) -> bool {
    match key {
        "key" => is_item(path, "api_key"),
        "tokens" => is_item(path, "source"),
        "api_key" => path == "tracker.enrich",
        _ => false,
    }
}

fn toml(value: &DeValue<'_>, secrecy: Secrecy) -> String {
    let is_secret = secrecy == Secrecy::Secret;
    match value {
        DeValue::Array(items) => list(items.iter().map(|item| toml(item.get_ref(), secrecy))),
        DeValue::Table(table) if is_secret => reference(table).unwrap_or_else(|| HIDDEN.to_owned()),
        _ if is_secret => HIDDEN.to_owned(),
        DeValue::String(text) => quoted(&without_secrets(text)),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Table(_) => "{ … }".to_owned(),
    }
}

/// Where a secret is to be had: `{ env = "NAME" }` or `{ file = "path" }`.
fn reference(table: &DeTable<'_>) -> Option<String> {
    let mut entries = table.iter();
    let (Some((key, place)), None) = (entries.next(), entries.next()) else { return None };
    let (key, place): (&str, _) = (key.get_ref(), place.get_ref().as_str()?);
    // The secret itself may stand where its variable's name should.
    let shown = match key {
        "env" if secrets::is_usual(place) => quoted(place),
        "env" => HIDDEN.to_owned(),
        "file" => quoted(place),
        _ => return None,
    };
    Some(format!("{{ {key} = {shown} }}"))
}

fn json(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(&without_secrets(text)),
        other => other.to_string(),
    }
}

/// A text without what a URL may hide in it: a password, and everything behind a question mark or a hash.
fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    // A password may hold any character, also those that should end it.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((hidden, _)) if hidden.contains(['?', '#']) => return format!("{scheme}://***"),
        Some((_, rest)) => ("***@", rest),
        None => ("", rest),
    };
    match rest.find(['?', '#']) {
        Some(end) => format!("{scheme}://{user}{}***", &rest[..=end]),
        None => format!("{scheme}://{user}{rest}"),
    }
}

fn age(age: Option<std::time::Duration>) -> String {
    quoted(age.map(units::shown_duration).as_deref().unwrap_or("forever"))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

#[cfg(test)]
mod tests;

//! `[[destination]]`: a plugin and its settings.

use std::time::Duration;

use postroom_core::{id::DestinationName, lane::Backlog, limits, retry::RetryPolicy, schedule::Schedule};
use postroom_host::{Digest, Sandbox};

use super::{
    fault::Position,
    names,
    plugin_config::PluginConfig,
    plugin_state::PluginStateBounds,
    read::{self, Context, Table, Value},
    sandbox, schedule,
};

const CONCURRENCY_MAX: u32 = 1024;
const DELIVERIES_PER_SECOND_MAX: u32 = 1_000_000;
const RETRIES_MAX: usize = 100;
const BACKLOGS: [(&str, Backlog); 2] = [("keep", Backlog::Keep), ("latest", Backlog::Latest)];

/// A plugin with its settings; runs as one plugin instance.
#[derive(Debug, Clone)]
pub struct Destination {
    /// What routes call it.
    pub name: DestinationName,
    /// Which plugin.
    pub plugin: PluginRef,
    /// The plugin's settings.
    pub config: PluginConfig,
    /// The waits between attempts.
    pub retry: RetryPolicy,
    /// Deliveries in flight at once; the default when absent.
    pub concurrency: Option<u32>,
    /// Most deliveries that start in a second; any number when absent.
    pub deliveries_per_second: Option<u32>,
    /// When deliveries may start; always when absent.
    pub schedule: Option<Schedule>,
    /// What happens to waiting deliveries when a lane is held up; all of them go when absent.
    pub backlog: Option<Backlog>,
    /// How long one attempt may take.
    pub attempt_max: Duration,
    /// How the plugin's process is confined.
    pub sandbox: Sandbox,
    /// What the SHA-256 of the plugin's file must be; anything when absent.
    pub sha256: Option<Digest>,
    /// How much the plugin may keep.
    pub state: PluginStateBounds,
    /// Whether the plugin may make events of its own.
    pub emit: bool,
    /// How long an attempt may take in all when the plugin asks for more time.
    pub extend_max: Duration,
}

/// A plugin as a destination names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginRef {
    /// The id, and behind an `@` the version if the destination names one.
    pub name: String,
    /// The destination's path in the file, like `destination[1]`.
    pub destination_path: String,
    /// Where the id stands in the file.
    pub position: Position,
}

impl Destination {
    /// Also adds the plugin to `plugins`, even when the rest has faults.
    pub(super) fn read(
        cx: &mut Context<'_>,
        mut table: Table<'_>,
        plugins: &mut Vec<PluginRef>,
    ) -> Option<Self> {
        let name = names::in_url(cx, &mut table);
        let plugin = plugin(cx, &mut table);
        plugins.extend(plugin.clone());
        let config = match table.get("config") {
            None => Some(PluginConfig::empty()),
            Some(value) => PluginConfig::read(cx, &value),
        };
        let retry = match table.get("retry") {
            None => Some(RetryPolicy::default()),
            Some(value) => retry(cx, &value),
        };
        let concurrency =
            read::optional(table.get("concurrency"), |value| value.number(cx, 1..=CONCURRENCY_MAX));
        let deliveries_per_second = read::optional(table.get("deliveries_per_second"), |value| {
            value.number(cx, 1..=DELIVERIES_PER_SECOND_MAX)
        });
        let schedule = schedule::read(cx, &mut table);
        let backlog = read::optional(table.get("backlog"), |value| value.word(cx, "backlog", &BACKLOGS));
        let attempt_max = match table.get("timeout") {
            None => Some(limits::ATTEMPT_MAX),
            Some(value) => timeout(cx, &value),
        };
        let extend_max = match table.get("timeout_max") {
            None => attempt_max.map(|max| max * limits::EXTEND_FACTOR),
            Some(value) => timeout_max(cx, &value, attempt_max),
        };
        let emit = match table.get("emit") {
            None => Some(false),
            Some(value) => value.truth(cx),
        };
        let state = match table.get("state") {
            None => Some(PluginStateBounds::default()),
            Some(value) => PluginStateBounds::read(cx, &value),
        };
        let sandbox = sandbox::read(cx, &mut table);
        let sha256 = read::optional(table.get("sha256"), |value| {
            let hint = "64 hexadecimal digits, as sha256sum prints them";
            value.parsed(cx, "a SHA-256", hint, |text| Digest::parse(text).ok())
        });
        table.finish(cx);
        Some(Self {
            name: DestinationName::new(name?),
            plugin: plugin?,
            config: config?,
            retry: retry?,
            concurrency: concurrency?,
            deliveries_per_second: deliveries_per_second?,
            schedule: schedule?,
            backlog: backlog?,
            attempt_max: attempt_max?,
            sandbox: sandbox?,
            sha256: sha256?,
            state: state?,
            emit: emit?,
            extend_max: extend_max?,
        })
    }
}

fn plugin(cx: &mut Context<'_>, table: &mut Table<'_>) -> Option<PluginRef> {
    let hint = "the id of a plugin; `postroom plugin list` shows those found";
    let value = table.require(cx, "plugin", hint)?;
    let hint = "like \"itoc360\" or \"itoc360@1.2\", not a path or file name";
    let name = value.parsed(cx, "a plugin id", hint, |text| is_plugin_name(text).then(|| text.to_owned()))?;
    let position = cx.faults.position(value.spot.span.start);
    Some(PluginRef { name, destination_path: table.spot.path.clone(), position })
}

fn is_plugin_name(text: &str) -> bool {
    let (id, version) = text.split_once('@').unwrap_or((text, "1"));
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let begins_a_version = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('@');
    id.split(['.', '-']).all(word) && begins_a_version
}

fn retry(cx: &mut Context<'_>, value: &Value<'_>) -> Option<RetryPolicy> {
    let items = value.list(cx)?;
    if items.len() > RETRIES_MAX {
        cx.faults.at(&value.spot, "too many retries").hint(format!("at most {RETRIES_MAX}"));
        return None;
    }
    let delays: Vec<Duration> = items.iter().filter_map(|item| item.duration(cx)).collect();
    (delays.len() == items.len()).then(|| RetryPolicy::new(delays))
}

fn timeout(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Duration> {
    let timeout = value.duration(cx)?;
    if timeout.is_zero() {
        cx.faults.at(&value.spot, "an attempt needs time").hint("like \"60s\"");
        return None;
    }
    Some(timeout)
}

/// How long an attempt may take in all; not less than what it has without asking.
fn timeout_max(cx: &mut Context<'_>, value: &Value<'_>, attempt_max: Option<Duration>) -> Option<Duration> {
    let max = value.duration(cx)?;
    if attempt_max.is_some_and(|attempt_max| max < attempt_max) {
        cx.faults
            .at(&value.spot, "less than timeout")
            .hint("timeout is what an attempt has without asking for more");
        return None;
    }
    Some(max)
}

//! `sandbox` and `[destination.grant]`: how the process of a destination's plugin is confined.

use std::{collections::BTreeSet, path::PathBuf};

use postroom_host::{Access, Folder, Grant, Network, Sandbox, SandboxMode};

use super::{
    read::{self, Context, Table, Value},
    units,
};

const MODES: [(&str, SandboxMode); 3] = [
    ("required", SandboxMode::Required),
    ("best_effort", SandboxMode::BestEffort),
    ("off", SandboxMode::Off),
];
const ACCESSES: [(&str, Access); 2] = [("read", Access::Read), ("write", Access::Write)];
/// Below this not even the loading of a plugin is sure to work.
const MEMORY_BYTES_MIN: u64 = 16 * 1024 * 1024;
const THREADS_MAX: u32 = 65_536;

/// Reads `sandbox` and `grant` of a destination.
pub(super) fn read(cx: &mut Context<'_>, destination: &mut Table<'_>) -> Option<Sandbox> {
    let mode = read::optional(destination.get("sandbox"), |value| value.word(cx, "kind of sandbox", &MODES));
    let grant = match destination.get("grant") {
        None => Some(Grant::default()),
        Some(value) => grant(cx, &value),
    };
    Some(Sandbox { mode: mode?.unwrap_or_default(), grant: grant?, own: Vec::new() })
}

fn grant(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Grant> {
    let mut table = value.table(cx)?;
    let network = read::optional(table.get("network"), |value| network(cx, value));
    let folders = read::optional(table.get("folders"), |value| folders(cx, value));
    let memory_bytes = read::optional(table.get("memory"), |value| {
        value.parsed(cx, "an amount of memory from 16 MiB on", "like \"256 MiB\"", |text| {
            units::bytes(text).filter(|bytes| *bytes >= MEMORY_BYTES_MIN)
        })
    });
    let threads = read::optional(table.get("threads"), |value| value.number(cx, 1..=THREADS_MAX));
    table.finish(cx);
    Some(Grant { network: network?, folders: folders?, memory_bytes: memory_bytes?, threads: threads? })
}

fn network(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Network> {
    let items = value.list(cx)?;
    let hint = "like \"tcp:443\", or \"tcp:*\" for every port";
    let ports: Vec<Option<u16>> =
        items.iter().filter_map(|item| item.parsed(cx, "a TCP port", hint, port)).collect();
    if ports.len() < items.len() {
        return None;
    }
    let any = ports.iter().any(Option::is_none);
    let ports: BTreeSet<u16> = ports.into_iter().flatten().collect();
    Some(if any { Network::Any } else { Network::Ports(ports) })
}

/// Reads `tcp:443`; `tcp:*` is `Some(None)`.
fn port(text: &str) -> Option<Option<u16>> {
    match text.strip_prefix("tcp:")? {
        "*" => Some(None),
        port => port.parse().ok().filter(|port| *port != 0).map(Some),
    }
}

fn folders(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Vec<Folder>> {
    let items = value.list(cx)?;
    let folders: Vec<Folder> = items.iter().filter_map(|item| folder(cx, item)).collect();
    (folders.len() == items.len()).then_some(folders)
}

fn folder(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Folder> {
    let mut table = value.table(cx)?;
    let path = table.require(cx, "path", "the folder, like \"data/backups\"");
    let path = path.and_then(|value| value.text(cx)).map(|path| cx.folder.join(path));
    let access = table.require(cx, "access", "\"read\" or \"write\"");
    let access = access.and_then(|value| value.word(cx, "access", &ACCESSES));
    table.finish(cx);
    // Without `.` and `..`, so that it can be compared with what plugins ask for.
    let path: PathBuf = postroom_host::plain_path(&path?)?;
    Some(Folder { path, access: access? })
}

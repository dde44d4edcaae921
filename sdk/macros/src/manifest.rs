//! The manifest as JSON. What stands before and after the crate's version, which only its build knows.

use std::fmt::Write as _;

use crate::args::{Args, Folder, Metric};

/// The capabilities that the SDK needs for itself.
const ALWAYS: [&str; 3] = ["log", "secrets", "clock"];

/// The text up to the version.
pub(crate) fn before_version(args: &Args) -> String {
    let mut json = String::from("{\"manifest\":1,\"abi\":\"1.1\"");
    member(&mut json, "id", &string(&args.id));
    member(&mut json, "name", &string(&args.name));
    if let Some(description) = &args.description {
        member(&mut json, "description", &string(description));
    }
    json.push_str(",\"version\":\"");
    json
}

/// The text from the version to where the files of the actions and the schema, if there are any, and the last brace
/// follow.
pub(crate) fn after_version(args: &Args) -> String {
    let mut json = String::from("\"");
    for (key, text) in [("license", &args.license), ("homepage", &args.homepage)] {
        if let Some(text) = text {
            member(&mut json, key, &string(text));
        }
    }
    let asked = args.capabilities.iter().map(ToString::to_string);
    let asked = asked.filter(|name| !ALWAYS.contains(&name.as_str()));
    let capabilities = ALWAYS.into_iter().map(str::to_owned).chain(asked).map(|name| string(&name));
    member(&mut json, "capabilities", &array(capabilities));
    member(&mut json, "kinds", &array(args.kinds.iter().map(|kind| string(kind))));
    if let Some(concurrency) = args.concurrency {
        member(&mut json, "concurrency", &concurrency.to_string());
    }
    let network = match args.network.as_slice() {
        [] => string("none"),
        addresses => array(addresses.iter().map(|address| string(address))),
    };
    member(&mut json, "network", &network);
    member(&mut json, "filesystem", &array(args.filesystem.iter().map(folder)));
    if !args.emits.is_empty() {
        member(&mut json, "emits", &array(args.emits.iter().map(|kind| string(kind))));
    }
    if !args.metrics.is_empty() {
        member(&mut json, "metrics", &array(args.metrics.iter().map(metric)));
    }
    if let Some(limits) = limits(args) {
        member(&mut json, "limits", &limits);
    }
    json
}

fn folder(folder: &Folder) -> String {
    let mut json = format!("{{\"path\":{},\"access\":{}", string(&folder.path), string(folder.access));
    if folder.file {
        member(&mut json, "file", "true");
    }
    json + "}"
}

fn metric(metric: &Metric) -> String {
    let mut json = format!("{{\"name\":{},\"kind\":{}", string(&metric.name), string(&metric.kind));
    if let Some(help) = &metric.help {
        member(&mut json, "help", &string(help));
    }
    json + "}"
}

fn limits(args: &Args) -> Option<String> {
    let limits = [("memory_mb", args.memory_mb), ("threads", args.threads)];
    let members = limits.into_iter().filter_map(|(key, limit)| Some(format!("{}:{}", string(key), limit?)));
    let members: Vec<String> = members.collect();
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
}

fn member(json: &mut String, key: &str, value: &str) {
    json.push(',');
    json.push_str(&string(key));
    json.push(':');
    json.push_str(value);
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// `text` as a JSON string.
fn string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(json, "\\u{unit:04x}").expect("a String takes everything");
                }
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

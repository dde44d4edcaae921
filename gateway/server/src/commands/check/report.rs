//! What `check` found, for people and for programs.

use postroom_core::{event::EmittedKind, id::DestinationName};
use postroom_host::{Layer, Layers, SandboxMode};
use serde_json::{Value, json};

use crate::{
    config::{Config, Fault, Faults, resolve::Resolved, secrets},
    output::{Output, OutputError},
};

pub(super) struct Report<'a> {
    pub(super) config: &'a Config,
    pub(super) faults: &'a [Fault],
    pub(super) resolved: &'a [Resolved],
    /// Of the sandboxes of those plugins that could be asked.
    pub(super) layers: &'a [(DestinationName, Layers)],
}

impl Report<'_> {
    pub(super) fn print(&self, output: &mut Output<'_>) -> Result<(), OutputError> {
        let file = self.config.file.display();
        if !self.faults.is_empty() {
            output.line(Faults { file: self.config.file.clone(), faults: self.faults.to_vec() })?;
            let noun = if self.faults.len() == 1 { "fault" } else { "faults" };
            return output.say(format_args!("\n{file} has {} {noun}", self.faults.len()));
        }
        let config = self.config;
        let sources: Vec<[String; 2]> = config
            .sources
            .iter()
            .map(|source| {
                let name = source.name.as_str();
                [name.to_owned(), format!("{}?token=…", config.server.hook_url(name))]
            })
            .collect();
        output.table(["SOURCE", "URL FOR POSTMAN"], &sources)?;
        let destinations: Vec<[String; 3]> = self
            .resolved
            .iter()
            .map(|Resolved { destination, plugin }| {
                let named = format!("{} {}", plugin.manifest.id, plugin.manifest.version);
                [destination.name.to_string(), named, plugin.path.display().to_string()]
            })
            .collect();
        output.say("")?;
        output.table(["DESTINATION", "PLUGIN", "FILE"], &destinations)?;
        let routes: Vec<[String; 2]> = config
            .routes
            .iter()
            .map(|route| [route.name.to_string(), names_of(&route.to).join(", ")])
            .collect();
        output.say("")?;
        output.table(["ROUTE", "SENDS TO"], &routes)?;
        output.say("")?;
        for note in self.notes() {
            output.say(format_args!("note: {note}"))?;
        }
        output.say(format_args!("{file} is good"))
    }

    pub(super) fn as_json(&self) -> Value {
        let config = self.config;
        let faults: Vec<Value> = self
            .faults
            .iter()
            .map(|fault| {
                json!({
                    "path": fault.path,
                    "line": fault.position.map(|position| position.line),
                    "column": fault.position.map(|position| position.column),
                    "message": fault.message,
                    "hint": fault.hint,
                })
            })
            .collect();
        let sources: Vec<Value> = config
            .sources
            .iter()
            .map(|source| json!({ "name": source.name.as_str(), "url": config.server.hook_url(source.name.as_str()) }))
            .collect();
        let destinations: Vec<Value> = self
            .resolved
            .iter()
            .map(|Resolved { destination, plugin }| {
                json!({
                    "name": destination.name.as_str(),
                    "plugin": plugin.manifest.id,
                    "version": plugin.manifest.version,
                    "path": plugin.path,
                    "sandbox": destination.sandbox.mode.as_str(),
                    "layers": self.layers_of(&destination.name),
                })
            })
            .collect();
        let routes: Vec<Value> = config
            .routes
            .iter()
            .map(|route| json!({ "name": route.name.as_str(), "to": names_of(&route.to) }))
            .collect();
        json!({
            "file": config.file,
            "ok": self.faults.is_empty(),
            "faults": faults,
            "sources": sources,
            "destinations": destinations,
            "routes": routes,
            "notes": self.notes(),
        })
    }

    /// What is allowed and yet hardly meant.
    fn notes(&self) -> Vec<String> {
        let config = self.config;
        let mut notes = Vec::new();
        for source in &config.sources {
            if source.tokens.iter().any(secrets::is_short) {
                notes.push(format!(
                    "a token of source \"{}\" is so short that it can be guessed",
                    source.name
                ));
            }
        }
        for key in config.api_keys.iter().filter(|key| secrets::is_short(&key.key)) {
            notes.push(format!("the API key \"{}\" is so short that it can be guessed", key.name));
        }
        for Resolved { destination, plugin } in self.resolved {
            let refusals = destination.sandbox.refusals(&plugin.manifest, &destination.config.json);
            notes.extend(refusals.iter().map(|refusal| {
                format!("the plugin of \"{}\" {refusal}; see [destination.grant]", destination.name)
            }));
            if !destination.emit && !plugin.manifest.emits.is_empty() {
                let kinds: Vec<&str> = plugin.manifest.emits.iter().map(EmittedKind::as_str).collect();
                notes.push(format!(
                    "the plugin of \"{}\" makes events of its own ({}) and may not: emit = true lets it",
                    destination.name,
                    kinds.join(", ")
                ));
            }
            if destination.sandbox.mode == SandboxMode::Off {
                notes.push(format!("the plugin of \"{}\" has no sandbox", destination.name));
            }
        }
        for (destination, layers) in self.layers {
            notes.extend(layers.missing().map(|(layer, reason)| {
                format!("the sandbox of \"{destination}\" lacks {}: {reason}", layer.as_str())
            }));
        }
        // A part with a fault is left out of the configuration, and must not be said to be missing.
        if self.faults.is_empty() {
            notes.extend(self.missing());
        }
        notes
    }

    fn layers_of(&self, destination: &DestinationName) -> Option<Vec<&'static str>> {
        let (_, layers) = self.layers.iter().find(|(name, _)| name == destination)?;
        Some(layers.active().map(Layer::as_str).collect())
    }

    fn missing(&self) -> Vec<String> {
        let config = self.config;
        let mut notes = Vec::new();
        if config.sources.is_empty() {
            notes.push("there is no [[source]]: nothing can come in".to_owned());
        }
        if config.api_keys.is_empty() {
            notes.push("there is no [[api_key]]: nobody can use the API".to_owned());
        }
        for destination in &config.destinations {
            if !config.routes.iter().any(|route| route.to.contains(&destination.name)) {
                notes.push(format!("no route sends to \"{}\"", destination.name));
            }
        }
        notes
    }
}

fn names_of(names: &[DestinationName]) -> Vec<&str> {
    names.iter().map(DestinationName::as_str).collect()
}

//! From the file to a [`Config`], or to all its faults.

use std::{
    io,
    path::{Path, PathBuf},
};

use postroom_core::id::DestinationName;
use postroom_engine::emit_source;
use toml::de::DeTable;

use super::{
    Config, Overrides,
    api::ApiLimits,
    api_key::ApiKey,
    destination::{Destination, PluginRef},
    fault::{Collector, Fault, Faults, Spot},
    listing::Listing,
    names,
    read::{Context, Table},
    retention::Retention,
    route::{self, Declared},
    server::{Plugins, Server, Store},
    source::Source,
    surroundings::Surroundings,
    tracker::Tracker,
};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file, as the caller named it.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file can be read and is not right.
    #[error("{0}")]
    Faulty(Faults),
}

/// What could be read of a file, and everything that is wrong with it.
#[derive(Debug)]
pub struct Draft {
    /// The parts without faults.
    pub config: Config,
    /// What is wrong; the configuration counts only when this is empty.
    pub faults: Vec<Fault>,
    /// The plugin of each destination, of those with faults too.
    pub plugins: Vec<PluginRef>,
}

impl Draft {
    /// The configuration, if nothing is wrong with it.
    ///
    /// # Errors
    /// Everything that is not right.
    pub fn finish(self) -> Result<Config, Faults> {
        if self.faults.is_empty() {
            Ok(self.config)
        } else {
            Err(Faults { file: self.config.file, faults: self.faults })
        }
    }
}

/// Reads the configuration in `file`. `flags` win over the environment, that wins over the file.
///
/// # Errors
/// When the file cannot be read, and for everything in it that is not right.
pub fn load(file: &Path, flags: Overrides, surroundings: &Surroundings<'_>) -> Result<Config, LoadError> {
    draft(file, flags, surroundings)?.finish().map_err(LoadError::Faulty)
}

/// Like [`load`] for those who have more to check before they tell the faults.
///
/// # Errors
/// Only when the file cannot be read.
pub fn draft(file: &Path, flags: Overrides, surroundings: &Surroundings<'_>) -> Result<Draft, LoadError> {
    let unreadable = |source| LoadError::Unreadable { file: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let absolute = std::path::absolute(file).map_err(unreadable)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    Ok(parse(&text, file, folder, flags, surroundings))
}

/// Reads the configuration in `text`, which stands in `file`; relative paths in it start from `folder`.
#[must_use]
pub fn parse(
    text: &str,
    file: &Path,
    folder: &Path,
    flags: Overrides,
    surroundings: &Surroundings<'_>,
) -> Draft {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut cx = Context { faults: Collector::new(text), folder, surroundings, whole: errors.is_empty() };
    let (mut config, plugins) = read(&mut cx, Table::document(&document), file);
    let env = Overrides::from_env(surroundings, &mut cx.faults);
    env.clone().apply(&mut config);
    flags.clone().apply(&mut config);
    config.listing = Listing::of(&document, &cx.faults, &config, (&env, &flags));
    for error in &errors {
        let spot = Spot { path: String::new(), span: error.span().unwrap_or_default() };
        cx.faults.unreadable(&spot, error.message());
    }
    Draft { config, faults: cx.faults.into_sorted(), plugins }
}

/// Reads the whole document; parts with faults are left out.
fn read(cx: &mut Context<'_>, mut document: Table<'_>, file: &Path) -> (Config, Vec<PluginRef>) {
    let server = Server::read(cx, &mut document);
    let store = Store::read(cx, &mut document);
    let retention = Retention::read(cx, &mut document);
    let plugins = Plugins::read(cx, &mut document);
    let tracker = Tracker::read(cx, &mut document);
    let api = ApiLimits::read(cx, &mut document);
    let api_keys = document.sections(cx, "api_key");
    let sources = document.sections(cx, "source");
    let destinations = document.sections(cx, "destination");
    let routes = document.sections(cx, "route");
    document.finish(cx);

    for tables in [&api_keys, &sources, &destinations, &routes] {
        names::refuse_repeated(cx, tables);
    }
    // Also of tables that have faults: one slip must not make every route that names the table look wrong.
    let names_of = |tables: &[Table<'_>]| -> Vec<String> {
        tables.iter().filter_map(|table| Some(table.peek_text("name")?.1.to_owned())).collect()
    };
    let destination_names = names_of(&destinations);
    // What the plugin of a destination makes has a source too.
    let made =
        destination_names.iter().map(|name| emit_source(&DestinationName::new(name.as_str())).to_string());
    let declared = Declared {
        sources: names_of(&sources).into_iter().chain(made).collect(),
        destinations: destination_names,
    };
    let (mut plugin_refs, mut named_kinds) = (Vec::new(), Vec::new());
    let config = Config {
        file: file.to_owned(),
        folder: cx.folder.to_owned(),
        server,
        store,
        retention,
        plugins,
        tracker,
        api,
        api_keys: api_keys.into_iter().filter_map(|table| ApiKey::read(cx, table)).collect(),
        sources: sources.into_iter().filter_map(|table| Source::read(cx, table)).collect(),
        destinations: destinations
            .into_iter()
            .filter_map(|table| Destination::read(cx, table, &mut plugin_refs))
            .collect(),
        routes: routes
            .into_iter()
            .filter_map(|table| route::read(cx, table, &declared, &mut named_kinds))
            .collect(),
        named_kinds,
        listing: Listing::default(),
    };
    (config, plugin_refs)
}

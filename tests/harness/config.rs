//! The text of a `postroom.toml`, as an operator would write it.

use std::{fmt::Write as _, fs, path::Path};

use super::random_token;

/// A configuration under construction. It begins with a source called `postman`, an API key, and nothing to deliver
/// to; every token in it is random.
#[derive(Debug, Clone)]
pub struct Config {
    server: String,
    plugins: String,
    tables: String,
    files: Vec<(String, String)>,
    token: String,
    api_key: String,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// The source that [`new`](Self::new) makes.
    pub const SOURCE: &str = "postman";

    #[must_use]
    pub fn new() -> Self {
        Self::with_source_settings("")
    }

    /// Like [`new`](Self::new), with more settings of the source, as lines of TOML.
    #[must_use]
    pub fn with_source_settings(settings: &str) -> Self {
        let (token, api_key) = (random_token(), random_token());
        let key = format!("[[api_key]]\nname = \"test\"\nrole = \"admin\"\nkey = \"{api_key}\"\n\n");
        let (server, plugins) = (String::new(), String::new());
        let config = Self { server, plugins, tables: key, files: Vec::new(), token, api_key };
        let tokens = format!("tokens = [\"{}\"]\n{settings}", config.token);
        config.source(Self::SOURCE, &tokens)
    }

    /// Adds a line to `[server]`.
    #[must_use]
    pub fn server(mut self, setting: &str) -> Self {
        writeln!(self.server, "{setting}").expect("writing to a string cannot fail");
        self
    }

    /// Adds a line to `[plugins]`.
    #[must_use]
    pub fn plugins(mut self, setting: &str) -> Self {
        writeln!(self.plugins, "{setting}").expect("writing to a string cannot fail");
        self
    }

    /// Adds a whole section with these lines of settings.
    #[must_use]
    pub fn section(mut self, name: &str, settings: &str) -> Self {
        write!(self.tables, "[{name}]\n{settings}\n\n").expect("writing to a string cannot fail");
        self
    }

    /// Adds an API key with this role.
    #[must_use]
    pub fn key(self, name: &str, role: &str, key: &str) -> Self {
        self.table("api_key", name, &format!("role = \"{role}\"\nkey = \"{key}\""))
    }

    /// Without the API key that is `key`.
    #[must_use]
    pub fn revoked(mut self, key: &str) -> Self {
        let tables = self.tables.split_inclusive("\n\n").filter(|table| !table.contains(key));
        self.tables = tables.collect();
        self
    }

    /// Adds a source with these lines of settings; `tokens` must be among them.
    #[must_use]
    pub fn source(self, name: &str, settings: &str) -> Self {
        self.table("source", name, settings)
    }

    /// Adds a destination that runs `plugin`, with these lines of settings.
    #[must_use]
    pub fn destination(self, name: &str, plugin: &str, settings: &str) -> Self {
        self.table("destination", name, &format!("plugin = \"{plugin}\"\n{settings}"))
    }

    /// Adds a destination that forwards to `url`, with these lines of settings beside `config`.
    #[must_use]
    pub fn forward(self, name: &str, url: &str, settings: &str) -> Self {
        self.destination(name, "forward", &format!("config = {{ url = \"{url}\" }}\n{settings}"))
    }

    /// Adds a destination that writes backups to `root`, which is relative to the gateway's folder.
    #[must_use]
    pub fn backup(self, name: &str, root: &str) -> Self {
        self.destination(name, "backup", &format!("config = {{ storage = \"fs\", root = \"{root}\" }}"))
    }

    /// Adds a route to `destination` with these lines of conditions; none at all takes everything.
    #[must_use]
    pub fn route(self, name: &str, conditions: &str, destination: &str) -> Self {
        self.table("route", name, &format!("{conditions}\nto = [\"{destination}\"]"))
    }

    /// Puts a file beside the configuration, for a secret that stands in one.
    #[must_use]
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    fn table(mut self, table: &str, name: &str, settings: &str) -> Self {
        write!(self.tables, "[[{table}]]\nname = \"{name}\"\n{settings}\n\n")
            .expect("writing to a string cannot fail");
        self
    }

    /// The token of the source `postman`.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// An API key that may do everything.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Writes the configuration and what belongs to it into `folder`.
    ///
    /// # Panics
    /// When a file cannot be written.
    pub(super) fn write(&self, folder: &Path, name: &str, plugins: &Path) {
        let text = self.text(plugins);
        for (name, content) in
            self.files.iter().map(|(name, content)| (name.as_str(), content)).chain([(name, &text)])
        {
            fs::write(folder.join(name), content).expect("a file can be written to a fresh folder");
        }
    }

    /// The file's text. The gateway finds plugins in `plugins` only, and picks a free port.
    #[must_use]
    pub fn text(&self, plugins: &Path) -> String {
        let Self { server, plugins: settings, tables, .. } = self;
        let path = plugins.display();
        format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n{server}\n[plugins]\npath = [\"{path}\"]\n{settings}\n{tables}"
        )
    }
}

//! Settings from flags and environment, which stand above the file.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use super::{
    Config,
    fault::{Collector, Fault},
    server::{self, public_url, store_path},
    surroundings::Surroundings,
    variables::{PLUGINS_PATH, SERVER_LISTEN, SERVER_PUBLIC_URL, STORE_URL},
};

/// Settings given outside the file; `None` leaves the file's. Relative paths start from the working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Address and port to listen on.
    pub listen: Option<SocketAddr>,
    /// How the world reaches the gateway.
    pub public_url: Option<String>,
    /// The database file.
    pub store: Option<PathBuf>,
    /// Folders with plugins.
    pub plugins_path: Option<Vec<PathBuf>>,
}

impl Overrides {
    /// Reads the variables of [`super::variables`]; an empty one counts as not set.
    pub(super) fn from_env(surroundings: &Surroundings<'_>, faults: &mut Collector<'_>) -> Self {
        let mut env = Environment { surroundings, faults };
        Self {
            listen: env
                .parsed(SERVER_LISTEN, server::LISTEN_FORM, server::LISTEN_HINT, |text| text.parse().ok()),
            public_url: env.parsed(SERVER_PUBLIC_URL, server::URL_FORM, server::URL_HINT, public_url),
            store: env.parsed(STORE_URL, server::STORE_FORM, server::STORE_HINT, store_path),
            plugins_path: env.value(PLUGINS_PATH).map(|value| std::env::split_paths(&value).collect()),
        }
    }

    /// Puts these settings over those of `config`.
    pub(super) fn apply(self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        if let Some(public_url) = self.public_url {
            config.server.public_url = Some(public_url);
        }
        if let Some(store) = self.store {
            config.store.path = store;
        }
        if let Some(path) = self.plugins_path {
            config.plugins.path = path;
        }
    }
}

struct Environment<'a, 'f> {
    surroundings: &'a Surroundings<'a>,
    faults: &'a mut Collector<'f>,
}

impl Environment<'_, '_> {
    fn value(&self, name: &str) -> Option<OsString> {
        (self.surroundings.env)(name).filter(|value| !value.is_empty())
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        form: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let parsed = value.to_str().and_then(parse);
        if parsed.is_none() {
            self.faults.add(Fault::new(name, format!("not {form}"))).hint(hint);
        }
        parsed
    }
}

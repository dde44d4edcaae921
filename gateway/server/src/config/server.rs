//! `[server]`, `[store]` and `[plugins]`: where the gateway listens, keeps its data and finds its plugins.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use super::read::{Context, Table};

pub(super) const LISTEN_FORM: &str = "an address with a port";
pub(super) const LISTEN_HINT: &str = "like \"127.0.0.1:8080\", or \"0.0.0.0:8080\" for every interface";
pub(super) const URL_FORM: &str = "an http or https URL without query";
pub(super) const URL_HINT: &str = "like \"https://hooks.example.com\"";
pub(super) const STORE_FORM: &str = "a store that this version knows";
pub(super) const STORE_HINT: &str = "like \"sqlite:data/postroom.db\"";

/// How the gateway is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How the world reaches the gateway, without a slash at the end; for the URLs that people are shown.
    pub public_url: Option<String>,
    /// How long deliveries in flight may take to end when the gateway stops.
    pub drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            drain: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// The URL that a source called `source` receives on, without its token.
    #[must_use]
    pub fn hook_url(&self, source: &str) -> String {
        let base = self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen));
        format!("{base}/hooks/{source}")
    }

    pub(super) fn read(cx: &mut Context<'_>, document: &mut Table<'_>) -> Self {
        let mut server = Self::default();
        let Some(mut table) = document.section(cx, "server") else { return server };
        if let Some(value) = table.get("listen")
            && let Some(listen) = value.parsed(cx, LISTEN_FORM, LISTEN_HINT, |text| text.parse().ok())
        {
            server.listen = listen;
        }
        if let Some(value) = table.get("public_url") {
            server.public_url = value.parsed(cx, URL_FORM, URL_HINT, public_url);
        }
        if let Some(value) = table.get("drain")
            && let Some(drain) = value.duration(cx)
        {
            server.drain = drain;
        }
        table.finish(cx);
        server
    }
}

/// Where events and deliveries are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The SQLite database file. Bodies too large for a row lie in a folder beside it.
    pub path: PathBuf,
}

const DATABASE: &str = "data/postroom.db";

impl Store {
    pub(super) fn read(cx: &mut Context<'_>, document: &mut Table<'_>) -> Self {
        let mut store = Self { path: cx.folder.join(DATABASE) };
        let Some(mut table) = document.section(cx, "store") else { return store };
        if let Some(value) = table.get("url")
            && let Some(path) = value.parsed(cx, STORE_FORM, STORE_HINT, store_path)
        {
            store.path = cx.folder.join(path);
        }
        table.finish(cx);
        store
    }
}

/// Where plugins are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugins {
    /// The folders, in order; the first that has a plugin wins.
    pub path: Vec<PathBuf>,
    /// Whether a destination goes over to a new build of its plugin by itself.
    pub watch: bool,
}

impl Plugins {
    pub(super) fn read(cx: &mut Context<'_>, document: &mut Table<'_>) -> Self {
        let mut plugins = Self { path: default_path(cx), watch: false };
        let Some(mut table) = document.section(cx, "plugins") else { return plugins };
        if let Some(value) = table.get("path")
            && let Some(folders) = value.texts(cx)
        {
            plugins.path = folders.iter().map(|(_, folder)| cx.folder.join(folder)).collect();
        }
        if let Some(watch) = table.get("watch").and_then(|value| value.truth(cx)) {
            plugins.watch = watch;
        }
        table.finish(cx);
        plugins
    }
}

fn default_path(cx: &Context<'_>) -> Vec<PathBuf> {
    let system = Path::new("/usr/lib/postroom/plugins");
    cx.surroundings
        .program_folder
        .iter()
        .cloned()
        .chain([cx.folder.join("plugins"), system.to_owned()])
        .collect()
}

/// Reads the URL by which the world reaches the gateway; a slash at its end is dropped.
#[must_use]
pub fn public_url(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then(|| text.trim_end_matches('/').to_owned())
}

/// Reads a store URL, `sqlite:PATH` or `sqlite:///PATH`, and gives the path as it stands there.
#[must_use]
pub fn store_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty()).then(|| PathBuf::from(path))
}

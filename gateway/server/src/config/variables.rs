//! The environment variables that stand above the file, the one that names it, and those that name a running gateway.

/// The configuration file, for commands without `--config`.
pub const CONFIG: &str = "POSTROOM_CONFIG";
/// Address and port to listen on.
pub const SERVER_LISTEN: &str = "POSTROOM_SERVER_LISTEN";
/// How the world reaches the gateway.
pub const SERVER_PUBLIC_URL: &str = "POSTROOM_SERVER_PUBLIC_URL";
/// A running gateway's address, for commands that talk to one.
pub const GATEWAY_URL: &str = "POSTROOM_URL";
/// An API key, for commands that talk to a running gateway.
pub const API_KEY: &str = "POSTROOM_API_KEY";
/// Where events and deliveries are kept.
pub const STORE_URL: &str = "POSTROOM_STORE_URL";
/// Folders with plugins, separated as in `PATH`.
pub const PLUGINS_PATH: &str = "POSTROOM_PLUGINS_PATH";

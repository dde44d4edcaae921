//! The environment variables that stand above the file, and the one that names it.

/// The configuration file, for commands without `--config`.
pub const CONFIG: &str = "POSTROOM_CONFIG";
/// Address and port to listen on.
pub const SERVER_LISTEN: &str = "POSTROOM_SERVER_LISTEN";
/// How the world reaches the gateway.
pub const SERVER_PUBLIC_URL: &str = "POSTROOM_SERVER_PUBLIC_URL";
/// Where events and deliveries are kept.
pub const STORE_URL: &str = "POSTROOM_STORE_URL";
/// Folders with plugins, separated as in `PATH`.
pub const PLUGINS_PATH: &str = "POSTROOM_PLUGINS_PATH";

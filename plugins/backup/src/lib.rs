//! Keeps every version of every collection that Postman backs up, in a folder.
//!
//! ```toml
//! [[destination]]
//! name = "backups"
//! plugin = "backup"
//! config = { storage = "fs", root = "data/backups" }
//!
//! [[route]]
//! name = "backups"
//! kinds = ["collection_backup"]
//! to = ["backups"]
//! ```
//!
//! # Settings
//!
//! | setting | meaning |
//! |---|---|
//! | `root` | folder of the backups, created when it is missing; a relative path starts at the configuration file |
//! | `storage` | `"fs"`, a local folder: the only one, and the default |
//!
//! # Files
//!
//! `{root}/{collection name}-{id}/{utc time}-{hash}.json`, for example
//! `Checkout API-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6/2026-11-21T19-36-47.042Z-9f86d081884c.json`.
//!
//! - The file is the `collection` value byte for byte, so it can be imported into Postman and checked against the event.
//! - The time is when the gateway received the backup; the hash begins the SHA-256 of the file. Sorted by name, the files
//!   of a folder are the history of the collection.
//! - A backup that equals the newest version is not written again, and neither is one that comes twice.
//! - A file appears whole or not at all, and is on disk before the delivery counts as delivered.
//! - A renamed collection keeps its folder: an existing folder that ends in the same id is used again, whatever the text
//!   before it, so it may be renamed by hand too.
//! - In names, characters that a file system takes for special become `_`. Collections without a name or id are
//!   `unnamed` or `unknown`. Access rights follow the umask of the gateway.
//!
//! # Outcomes
//!
//! | outcome | when |
//! |---|---|
//! | delivered | the version is on disk; the record is `{"file", "bytes", "sha256", "unchanged"}` |
//! | skipped | the event is no collection backup |
//! | retry, `storage_full`, `permission_denied`, `read_only`, `io` | the folder could not be read or written |
//! | permanent, `no_collection` | the body has no readable `collection` |
//! | permanent, `file_changed` | the file of this very event is there with another content |
//! | misconfigured, `root` | the root folder cannot be created |
#![forbid(unsafe_code)]

mod config;
mod plugin;

mod archive;
mod durable;
mod name;
mod version;

pub use self::{config::Config, plugin::Backup};

//! Keeps every version of every collection that Postman backs up.
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
//! `docs/backups.md` is the manual; `docs/design/0012-versions-without-locks.md` says why the files lie as they do,
//! `0014-versions-in-git.md` beside it how versions are commits.
//!
//! The way of a backup: `plugin` makes a `vault::Snapshot` of the event; `scan` looks for secrets in it; `vault` compares it
//! with the versions that there are and keeps it, through `vault::shelf`, in a `storage`; `events` tells what changed. Beside the
//! deliveries work the `actions` of people and the `chores` of the plugin itself. `retention` decides what goes, and `collection`
//! knows what a Postman collection is; both do nothing but think.
//!
//! # Outcomes
//!
//! | outcome | when |
//! |---|---|
//! | delivered | the version is kept and was read back, or the newest version says the same |
//! | skipped | the event is no collection backup, or its version was pruned |
//! | retry, `storage_full`, `permission_denied`, `read_only`, `io`, … | the storage could not be read or written |
//! | retry, `not_as_written` | the storage gives back something else than was written |
//! | permanent, `no_collection` | the body has no readable `collection` |
//! | misconfigured | the storage refuses us, or a setting is wrong |
#![forbid(unsafe_code)]

mod actions;
mod chores;
mod config;
mod events;
mod plugin;

mod collection;
mod durable;
mod name;
mod restore;
mod retention;
mod scan;
mod storage;
mod vault;

pub use self::{config::Config, plugin::Backup};

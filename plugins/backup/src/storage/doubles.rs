//! The other side of the tests: real servers where there are some, and strict doubles of the rest, made after the public
//! documents of their interfaces. A double refuses what its service would refuse, and what the documents do not have.

pub(super) mod azblob;
pub(super) mod box_api;
pub(super) mod cut;
pub(super) mod dropbox;
pub(super) mod gcs;
pub(super) mod gdrive;
pub(super) mod onedrive;
pub(super) mod server;
pub(super) mod sftp;
pub(super) mod tokens;

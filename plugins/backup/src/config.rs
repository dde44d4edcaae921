//! The settings.

pub(crate) mod git;
mod postman;
mod services;

use std::{path::PathBuf, time::Duration};

use postroom_sdk::{Report, SecretRef};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

pub(crate) use self::{
    git::GitConfig,
    postman::Postman,
    services::{Azblob, BoxCloud, Dropbox, Gcs, Gdrive, Onedrive, S3, Sftp, Webdav},
};

use crate::{
    retention::Retention,
    scan::Scan,
    vault::{
        body,
        copies::{Template, TemplateError},
    },
};

/// Settings of a destination, as its `config` in `postroom.toml` has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where backups are kept. "folder" (or "fs") is a folder of this machine, in `root`; every other has its settings in
    /// the table of its name.
    #[serde(default)]
    #[schemars(
        with = "String",
        extend(
            "enum" = ["folder", "fs", "s3", "gcs", "azblob", "webdav", "sftp", "dropbox", "gdrive", "onedrive", "box", "git"],
            "default" = "folder"
        )
    )]
    pub(crate) storage: Kind,
    /// Folder of the backups, for the storage "folder"; for "git" the repository, or where the copy of a remote one is. It is
    /// created when it is missing. A relative path starts at the configuration file.
    #[schemars(length(min = 1), extend("format" = "path"))]
    pub(crate) root: Option<PathBuf>,
    /// Where a plain copy of the newest version of each collection is written for people, below the root. Placeholders:
    /// {name}, {id}, {time}, {date}, {sha}, {format}. With {time} or {sha} each version has a copy of its own. Empty: no copies.
    #[serde(default = "path")]
    pub(crate) path: String,
    /// How many versions of each collection stay. Without it nothing is ever deleted.
    pub(crate) retention: Option<Retention>,
    /// Whether a backup that differs from the newest version only in ids and times that Postman generates is a version too.
    #[serde(default)]
    pub(crate) store_unchanged: bool,
    /// Whether versions are compressed, by zstd.
    #[serde(default = "yes")]
    pub(crate) compress: bool,
    /// Public keys of age, such as "age1…". With one or more, only who has one of their secret keys can read the versions and
    /// copies; names, times and what changed stay readable.
    #[serde(default)]
    pub(crate) encrypt_to: Vec<String>,
    /// The identity file of age that reads what is encrypted, for differences, and to check and show versions.
    pub(crate) decrypt_with: Option<SecretRef>,
    /// What is done about secrets in collections: "warn" names them, "redact" also takes them out of what is kept, "off".
    #[serde(default)]
    pub(crate) scan: Scan,
    /// How often every version is read and checked; "0s" is never.
    #[serde(default = "thirty_days", with = "postroom_sdk::DurationText")]
    pub(crate) verify_every: Duration,
    /// Postman's API, for the action `restore`.
    pub(crate) postman: Option<Postman>,
    /// S3 of AWS, and what speaks like it.
    pub(crate) s3: Option<S3>,
    /// Google Cloud Storage.
    pub(crate) gcs: Option<Gcs>,
    /// Azure Blob Storage.
    pub(crate) azblob: Option<Azblob>,
    /// A server that is reached by WebDAV.
    pub(crate) webdav: Option<Webdav>,
    /// A server that is reached by SFTP.
    pub(crate) sftp: Option<Sftp>,
    /// Dropbox.
    pub(crate) dropbox: Option<Dropbox>,
    /// Google Drive.
    pub(crate) gdrive: Option<Gdrive>,
    /// OneDrive.
    pub(crate) onedrive: Option<Onedrive>,
    /// Box.
    #[serde(rename = "box")]
    pub(crate) box_cloud: Option<BoxCloud>,
    /// A git repository; without the table one in `root`.
    pub(crate) git: Option<GitConfig>,
}

/// Where backups are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Kind {
    /// A folder of this machine.
    #[default]
    Folder,
    S3,
    Gcs,
    Azblob,
    Webdav,
    Sftp,
    Dropbox,
    Gdrive,
    Onedrive,
    Box,
    Git,
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Ok(match name.as_str() {
            "folder" | "fs" => Self::Folder,
            "s3" => Self::S3,
            "gcs" => Self::Gcs,
            "azblob" => Self::Azblob,
            "webdav" => Self::Webdav,
            "sftp" => Self::Sftp,
            "dropbox" => Self::Dropbox,
            "gdrive" => Self::Gdrive,
            "onedrive" => Self::Onedrive,
            "box" => Self::Box,
            "git" => Self::Git,
            _ => {
                return Err(format!(
                    "there is no storage {name:?}: write \"folder\" (or \"fs\"), \"s3\", \"gcs\", \"azblob\", \"webdav\", \
                     \"sftp\", \"dropbox\", \"gdrive\", \"onedrive\", \"box\" or \"git\""
                ));
            }
        })
    }
}

fn path() -> String {
    "latest/{name}-{id}.json".to_owned()
}

fn yes() -> bool {
    true
}

fn thirty_days() -> Duration {
    Duration::from_secs(30 * 24 * 60 * 60)
}

impl Config {
    /// Where the copies go, if there are to be any.
    pub(crate) fn template(&self) -> Result<Option<Template>, TemplateError> {
        Template::parse(&self.path)
    }

    /// Checks what can be read without secrets.
    pub(crate) fn check(&self, report: &mut Report) {
        self.check_root(report);
        self.check_tables(report);
        let endpoints = [
            ("/s3/endpoint", self.s3.as_ref().and_then(|s3| s3.endpoint.as_deref())),
            ("/gcs/endpoint", self.gcs.as_ref().and_then(|gcs| gcs.endpoint.as_deref())),
            ("/azblob/endpoint", self.azblob.as_ref().and_then(|azblob| azblob.endpoint.as_deref())),
            ("/webdav/endpoint", self.webdav.as_ref().map(|webdav| webdav.endpoint.as_str())),
        ];
        for (path, endpoint) in endpoints {
            if let Some(endpoint) = endpoint {
                check_endpoint(path, endpoint, report);
            }
        }
        if self.webdav.as_ref().is_some_and(|webdav| webdav.endpoint.starts_with("http://")) {
            report.warning(
                "/webdav/endpoint",
                "without https, the password and the backups can be read on the way",
            );
        }
        for (path, folder) in self.folders() {
            if let Some(folder) = folder
                && folder.split('/').any(|part| matches!(part, "." | ".."))
            {
                report.error(
                    path,
                    "has the part `.` or `..`: write the folder plainly, such as \"postman/backups\"",
                );
            }
        }
        self.check_credentials(report);
    }

    fn check_root(&self, report: &mut Report) {
        match (&self.root, self.storage) {
            (None, Kind::Folder) => {
                report.error("/root", "the storage \"folder\" needs it: write the folder of the backups");
            }
            (None, Kind::Git) => {
                report.error("/root", "the storage \"git\" needs it: write the folder of the repository");
            }
            // The gateway makes relative paths absolute, because the plugin's working folder means nothing.
            (Some(root), Kind::Folder | Kind::Git) if !root.is_absolute() => {
                report.error("/root", "not an absolute path: write the folder with its whole path");
            }
            (Some(_), kind) if !matches!(kind, Kind::Folder | Kind::Git) => {
                report.error(
                    "/root",
                    "is a folder of this machine: leave it out, the table has a folder of its own",
                );
            }
            _ => {}
        }
    }

    /// The table of the storage is there, and no other: it would be one that somebody takes for the one in use.
    fn check_tables(&self, report: &mut Report) {
        let tables = [
            (Kind::S3, "s3", self.s3.is_some()),
            (Kind::Gcs, "gcs", self.gcs.is_some()),
            (Kind::Azblob, "azblob", self.azblob.is_some()),
            (Kind::Webdav, "webdav", self.webdav.is_some()),
            (Kind::Sftp, "sftp", self.sftp.is_some()),
            (Kind::Dropbox, "dropbox", self.dropbox.is_some()),
            (Kind::Gdrive, "gdrive", self.gdrive.is_some()),
            (Kind::Onedrive, "onedrive", self.onedrive.is_some()),
            (Kind::Box, "box", self.box_cloud.is_some()),
            (Kind::Git, "git", self.git.is_some()),
        ];
        for (kind, name, is_there) in tables {
            // All settings of git have defaults.
            if kind == self.storage && !is_there && kind != Kind::Git {
                report.error(
                    format!("/{name}"),
                    format!("the storage {name:?} has its settings in this table"),
                );
            } else if kind != self.storage && is_there {
                report.error(
                    format!("/{name}"),
                    format!("the settings of another storage: leave them out, or write storage = {name:?}"),
                );
            }
        }
    }

    fn folders(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("/s3/folder", self.s3.as_ref().map(|table| table.folder.as_str())),
            ("/gcs/folder", self.gcs.as_ref().map(|table| table.folder.as_str())),
            ("/azblob/folder", self.azblob.as_ref().map(|table| table.folder.as_str())),
            ("/webdav/folder", self.webdav.as_ref().map(|table| table.folder.as_str())),
            ("/sftp/folder", self.sftp.as_ref().map(|table| table.folder.as_str())),
            ("/dropbox/folder", self.dropbox.as_ref().map(|table| table.folder.as_str())),
            ("/gdrive/folder", self.gdrive.as_ref().map(|table| table.folder.as_str())),
            ("/onedrive/folder", self.onedrive.as_ref().map(|table| table.folder.as_str())),
        ]
    }

    fn check_credentials(&self, report: &mut Report) {
        if let Some(azblob) = &self.azblob
            && azblob.account_key.is_some() == azblob.sas_token.is_some()
        {
            report.error("/azblob", "give either `account_key` or `sas_token`");
        }
        if let Some(webdav) = &self.webdav {
            if webdav.username.is_some() != webdav.password.is_some() {
                report.error("/webdav", "`username` and `password` belong together");
            } else if webdav.token.is_some() && webdav.password.is_some() {
                report.error("/webdav", "give either `token` or `username` and `password`");
            }
        }
        if let Some(sftp) = &self.sftp {
            if sftp.password.is_some() == sftp.private_key.is_some() {
                report.error("/sftp", "give either `password` or `private_key`");
            } else if sftp.passphrase.is_some() && sftp.private_key.is_none() {
                report.error("/sftp/passphrase", "is that of a `private_key`, and there is none");
            }
            if !sftp.host_key.starts_with("SHA256:") {
                report.error(
                    "/sftp/host_key",
                    "not a fingerprint such as \"SHA256:…\": `ssh-keyscan HOST | ssh-keygen -lf -` shows it",
                );
            }
        }
        let either =
            |trial: bool, lasting: bool, any_lasting: bool| trial != lasting && !(trial && any_lasting);
        if let Some(it) = &self.dropbox {
            let lasting = it.client_id.is_some() && it.refresh_token.is_some();
            if !either(it.access_token.is_some(), lasting, it.refresh_token.is_some()) {
                report.error("/dropbox", "give either `client_id` and `refresh_token`, or `access_token`");
            }
        }
        if let Some(it) = &self.gdrive {
            let lasting = it.client_id.is_some() && it.client_secret.is_some() && it.refresh_token.is_some();
            if !either(it.access_token.is_some(), lasting, it.refresh_token.is_some()) {
                report.error(
                    "/gdrive",
                    "give either `client_id`, `client_secret` and `refresh_token`, or `access_token`",
                );
            }
        }
        if let Some(it) = &self.onedrive {
            let lasting = it.client_id.is_some() && it.refresh_token.is_some();
            if !either(it.access_token.is_some(), lasting, it.refresh_token.is_some()) {
                report.error("/onedrive", "give either `client_id` and `refresh_token`, or `access_token`");
            }
        }
        if let Some(it) = &self.box_cloud {
            let lasting = it.client_id.is_some()
                && it.client_secret.is_some()
                && it.enterprise_id.is_some() != it.user_id.is_some();
            if !either(it.access_token.is_some(), lasting, it.client_secret.is_some()) {
                report.error(
                    "/box",
                    "give either `client_id`, `client_secret` and one of `enterprise_id` and `user_id`, or `access_token`",
                );
            }
        }
        self.check_git(report);
        self.check_keeping(report);
        if let Some(postman) = &self.postman {
            postman.check(report);
        }
    }

    fn check_git(&self, report: &mut Report) {
        if let Some(git) = &self.git {
            git.check(report);
        }
        if self.storage != Kind::Git {
            return;
        }
        if self.retention.is_some() {
            report.error("/retention", "git keeps every version: leave it out");
        }
        if !self.encrypt_to.is_empty() {
            report.error("/encrypt_to", "git has files that people and programs read: leave it out");
        }
    }

    fn check_keeping(&self, report: &mut Report) {
        if let Err(error) = self.template() {
            report.error("/path", error.to_string());
        }
        if self.retention.as_ref().is_some_and(Retention::is_empty) {
            let why = "keeps the newest version alone: write for example { last = 30 }, or leave it out to keep all";
            report.error("/retention", why);
        }
        for (index, recipient) in self.encrypt_to.iter().enumerate() {
            if let Err(error) = body::recipient(recipient) {
                report.error(format!("/encrypt_to/{index}"), error.to_string());
            }
        }
        if !self.encrypt_to.is_empty() && self.decrypt_with.is_none() {
            let why = "without it versions can be kept and checked for damage, but not compared, shown or restored here";
            report.warning("/decrypt_with", why);
        }
    }
}

fn check_endpoint(path: &str, endpoint: &str, report: &mut Report) {
    let Ok(url) = Url::parse(endpoint) else {
        report.error(path, "not an address: write it like \"https://storage.example:9000\"");
        return;
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        report.error(path, "not an http or https address");
    } else if !url.username().is_empty() || url.password().is_some() {
        report.error(path, "has a user or password in it: they have settings of their own");
    } else if url.query().is_some() || url.fragment().is_some() {
        report.error(path, "has something behind a `?` or `#`: leave it out");
    }
}

#[cfg(test)]
mod tests;

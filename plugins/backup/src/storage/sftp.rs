//! A server that is reached by SFTP, without the program ssh, which a plugin may not start.
//!
//! A file is written under a temporary name beside its own, brought to disk where the server can (`fsync@openssh.com`),
//! and renamed.

mod connection;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use postroom_sdk::{Secret, tokio::sync::Mutex};
use russh_sftp::{
    client::{error::Error, rawsession::SftpResult},
    protocol::{FileAttributes, OpenFlags, Packet, StatusCode},
};
use uuid::Uuid;

use self::connection::Connection;
use super::{Entry, Setup, StorageError, Write, path::TEMPORARY_PREFIX, services::resolve};
use crate::config;

/// Every server takes as much in one packet.
const PACKET_BYTES: usize = 32 * 1024;
/// Packets under way at once.
const PACKETS: usize = 16;
/// How often a file that another writer has put there meanwhile is replaced.
const RIVALS_MAX: usize = 3;
const TEMPORARY_SUFFIX: &str = ".tmp";
const TEMPORARY_AGE_MAX_MS: i64 = 60 * 60 * 1000;
/// Replaces what has the new name; the rename of the standard does not.
const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";

#[derive(Debug, Clone)]
pub(super) struct Sftp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: config::Sftp,
    login: Login,
    /// The connection in use; none before the first, and after one that broke.
    connection: Mutex<Option<Arc<Connection>>>,
}

/// How the user says who he is.
#[derive(Debug)]
enum Login {
    Password(Secret),
    Key(Box<russh::keys::PrivateKey>),
}

impl Sftp {
    pub(super) fn new(settings: &config::Sftp, setup: &Setup) -> Result<Self, StorageError> {
        let login = match (&settings.password, &settings.private_key) {
            (Some(password), _) => Login::Password(resolve(setup, password)?),
            (None, Some(key)) => {
                let passphrase =
                    settings.passphrase.as_ref().map(|secret| resolve(setup, secret)).transpose()?;
                let key =
                    setup.secret(key).map_err(|error| StorageError::other("secret", error.to_string()))?;
                let key = russh::keys::decode_secret_key(key.expose(), passphrase.as_ref().map(Secret::expose))
                    .map_err(|error| StorageError::Misconfigured {
                        setting: "sftp.private_key",
                        why: format!(
                            "the key cannot be read ({error}); it has to be Ed25519 or ECDSA, and `passphrase` fit"
                        ),
                    })?;
                Login::Key(Box::new(key))
            }
            (None, None) => {
                return Err(StorageError::Misconfigured {
                    setting: "sftp.private_key",
                    why: "there is neither a key nor a password".to_owned(),
                });
            }
        };
        let inner = Inner { settings: settings.clone(), login, connection: Mutex::new(None) };
        Ok(Self(Arc::new(inner)))
    }

    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        let to = self.connected().await?;
        let path = self.place(path);
        let read = async {
            let handle = to.raw.open(path, OpenFlags::READ, FileAttributes::empty()).await?.handle;
            let content = self.content(&to, &handle).await;
            to.raw.close(handle).await?;
            content
        };
        match read.await {
            Ok(content) => Ok(content),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failure(&error).await),
        }
    }

    /// `None` for a folder, which servers open like a file. A file may be changed while it is read, so what counts is
    /// where the reads end.
    async fn content(&self, to: &Connection, handle: &str) -> SftpResult<Option<Bytes>> {
        let about = to.raw.fstat(handle).await?.attrs;
        if about.is_dir() {
            return Ok(None);
        }
        let length = about.size.unwrap_or_default();
        let starts: Vec<_> = (0..length).step_by(PACKET_BYTES).collect();
        let mut parts = stream::iter(starts).map(|start| part(to, handle, start, length)).buffered(PACKETS);
        let mut content = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
        while let Some(part) = parts.try_next().await? {
            content.extend_from_slice(&part);
        }
        Ok(Some(content.freeze()))
    }

    pub(super) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        if how == Write::New && self.exists(path).await?.is_some() {
            return Err(StorageError::Exists);
        }
        let to = self.connected().await?;
        let path = self.place(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let temporary = format!("{folder}/{TEMPORARY_PREFIX}{}{TEMPORARY_SUFFIX}", Uuid::now_v7().simple());
        let written = async {
            match upload(&to, &temporary, &bytes).await {
                Err(error) if is_absent(&error) => {
                    create_folder(&to, folder).await?;
                    upload(&to, &temporary, &bytes).await?;
                }
                other => other?,
            }
            rename(&to, &temporary, &path, how).await
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let failure = match &error {
                    // The rename of the standard says no more than "failure" when the name is taken.
                    Error::Status(status)
                        if status.status_code == StatusCode::Failure && how == Write::New =>
                    {
                        to.raw.stat(&path).await.is_ok().then_some(StorageError::Exists)
                    }
                    _ => None,
                };
                // What cannot be removed now is swept at a later start; the failure that matters is the first.
                to.raw.remove(temporary).await.ok();
                match failure {
                    Some(failure) => Err(failure),
                    None => Err(self.failure(&error).await),
                }
            }
        }
    }

    pub(super) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        let to = self.connected().await?;
        match to.raw.stat(self.place(path)).await {
            Ok(found) => Ok(if found.attrs.is_dir() { None } else { found.attrs.size }),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failure(&error).await),
        }
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        let to = self.connected().await?;
        match entries(&to, &self.place(folder)).await {
            Ok(entries) => Ok(entries),
            Err(error) if is_absent(&error) => Ok(Vec::new()),
            Err(error) => Err(self.failure(&error).await),
        }
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        let to = self.connected().await?;
        match to.raw.remove(self.place(path)).await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(self.failure(&error).await),
        }
    }

    pub(super) async fn sweep(&self, now_unix_ms: u64) -> Result<usize, StorageError> {
        let to = self.connected().await?;
        let old = i64::try_from(now_unix_ms).unwrap_or(i64::MAX) - TEMPORARY_AGE_MAX_MS;
        let (mut removed, mut folders) = (0, vec![self.place("")]);
        while let Some(folder) = folders.pop() {
            // A folder that cannot be listed is nobody's reason not to make backups.
            for entry in entries(&to, &folder).await.unwrap_or_default() {
                let path = format!("{folder}/{}", entry.name);
                if entry.is_folder {
                    folders.push(path);
                } else if entry.name.starts_with(TEMPORARY_PREFIX)
                    && entry.name.ends_with(TEMPORARY_SUFFIX)
                    && entry.modified_unix_ms.is_some_and(|time| time < old)
                    && to.raw.remove(path).await.is_ok()
                {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    pub(super) fn describe(&self) -> String {
        let config::Sftp { host, port, username, folder, .. } = &self.0.settings;
        format!("sftp folder {folder} at {username}@{host}:{port}")
    }

    /// A path as the server has it.
    fn place(&self, path: &str) -> String {
        let folder = self.0.settings.folder.trim_end_matches('/');
        // The top of the server is the empty text here.
        if path.is_empty() { folder.to_owned() } else { format!("{folder}/{path}") }
    }

    async fn connected(&self) -> Result<Arc<Connection>, StorageError> {
        let mut connection = self.0.connection.lock().await;
        if let Some(connection) = connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(Arc::clone(connection));
        }
        let made = Arc::new(Connection::make(&self.0.settings, &self.0.login).await?);
        *connection = Some(Arc::clone(&made));
        Ok(made)
    }

    async fn failure(&self, error: &Error) -> StorageError {
        let why = format!("SFTP: {error}");
        match error {
            Error::Status(status) => match status.status_code {
                StatusCode::PermissionDenied => StorageError::Denied { setting: "sftp.folder", why },
                StatusCode::Failure
                    if ["space", "quota"].iter().any(|word| status.error_message.contains(word)) =>
                {
                    StorageError::Full { why }
                }
                _ => StorageError::Other { code: "sftp".to_owned(), why },
            },
            _ => {
                // Whatever it was, the next try starts with a new connection.
                *self.0.connection.lock().await = None;
                let code = if matches!(error, Error::Timeout) { "timeout" } else { "transport" };
                StorageError::Unreachable { code: code.to_owned(), why }
            }
        }
    }
}

/// The bytes from `start` on, as many as a packet has.
async fn part(to: &Connection, handle: &str, start: u64, length: u64) -> SftpResult<Vec<u8>> {
    let wanted = usize::try_from(length - start).unwrap_or(PACKET_BYTES).min(PACKET_BYTES);
    let mut part = Vec::with_capacity(wanted);
    // A server may give less than was asked for.
    while part.len() < wanted {
        let left = u32::try_from(wanted - part.len()).unwrap_or(u32::MAX);
        match to.raw.read(handle, start + part.len() as u64, left).await {
            Ok(data) if !data.data.is_empty() => part.extend_from_slice(&data.data),
            Ok(_) => return Err(Error::UnexpectedBehavior("an empty read".to_owned())),
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => {
                return Err(Error::UnexpectedBehavior("the file ends before its length".to_owned()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(part)
}

async fn upload(to: &Connection, path: &str, bytes: &Bytes) -> SftpResult<()> {
    let flags = OpenFlags::CREATE | OpenFlags::WRITE | OpenFlags::TRUNCATE;
    let handle = to.raw.open(path, flags, FileAttributes::empty()).await?.handle;
    let starts: Vec<usize> = (0..bytes.len()).step_by(PACKET_BYTES).collect();
    let sent = stream::iter(starts)
        .map(|start| {
            let part = bytes[start..bytes.len().min(start + PACKET_BYTES)].to_vec();
            to.raw.write(handle.clone(), start as u64, part)
        })
        .buffer_unordered(PACKETS)
        .try_for_each(|_| async { Ok(()) });
    let sent = async {
        sent.await?;
        if to.can(FSYNC) {
            to.raw.fsync(handle.as_str()).await?;
        }
        Ok(())
    };
    let sent: SftpResult<()> = sent.await;
    to.raw.close(handle).await?;
    sent
}

async fn rename(to: &Connection, from: &str, path: &str, how: Write) -> SftpResult<()> {
    if how == Write::Replace {
        if to.can(POSIX_RENAME) {
            let mut data = Vec::new();
            for text in [from, path] {
                data.extend_from_slice(&u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
                data.extend_from_slice(text.as_bytes());
            }
            return match to.raw.extended(POSIX_RENAME, data).await? {
                Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
                Packet::Status(status) => Err(Error::Status(status)),
                _ => Err(Error::UnexpectedPacket),
            };
        }
        // For a moment there is neither the old file nor the new one; such servers have nothing better. Another writer
        // may put his own there in this moment.
        for _ in 0..RIVALS_MAX {
            match to.raw.remove(path).await {
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
            match to.raw.rename(from, path).await {
                Err(Error::Status(status)) if status.status_code == StatusCode::Failure => {}
                other => return other.map(drop),
            }
        }
    }
    to.raw.rename(from, path).await.map(drop)
}

/// Makes a folder and those above it, as far as they are missing.
async fn create_folder(to: &Connection, folder: &str) -> SftpResult<()> {
    let ends = folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]);
    for end in ends.filter(|end| *end > 0) {
        let folder = &folder[..end];
        if let Err(error) = to.raw.mkdir(folder, FileAttributes::empty()).await {
            // That it is there already is a "failure" like any other.
            if !to.raw.stat(folder).await.is_ok_and(|found| found.attrs.is_dir()) {
                return Err(error);
            }
        }
    }
    Ok(())
}

async fn entries(to: &Connection, folder: &str) -> SftpResult<Vec<Entry>> {
    let folder = if folder.is_empty() { "/" } else { folder };
    let handle = to.raw.opendir(folder).await?.handle;
    let mut entries = Vec::new();
    let listed = loop {
        match to.raw.readdir(handle.as_str()).await {
            Ok(found) => entries.extend(
                found.files.into_iter().filter(|file| !matches!(file.filename.as_str(), "." | "..")).map(
                    |file| Entry {
                        is_folder: file.attrs.is_dir(),
                        bytes: file.attrs.size.filter(|_| !file.attrs.is_dir()),
                        modified_unix_ms: file.attrs.mtime.map(|seconds| i64::from(seconds) * 1000),
                        name: file.filename,
                    },
                ),
            ),
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    to.raw.close(handle).await?;
    listed.map(|()| entries)
}

fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Status(status) if status.status_code == StatusCode::NoSuchFile)
}

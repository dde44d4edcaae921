//! The services of OpenDAL, behind our own transport.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use opendal::{Builder, ErrorKind, HttpTransporter, Operator, options::WriteOptions};
use uuid::Uuid;

use super::{Entry, StorageError, Write, transport::Http};

/// Where a file is written that appears by being renamed.
const TEMPORARY_FOLDER: &str = ".postroom-tmp";
/// No write takes so long: an older temporary file belongs to a process that died.
const TEMPORARY_AGE_MAX_MS: i64 = 60 * 60 * 1000;

#[derive(Debug, Clone)]
pub(super) struct Dal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    operator: Operator,
    http: Http,
    appears: Appears,
    /// Whether the service makes a file only if there is none. Some that speak like S3 do not, and say so.
    has_conditions: AtomicBool,
    description: String,
}

/// How a file comes to be seen under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appears {
    /// With the end of its upload: before, nobody sees anything of it.
    Whole,
    /// As it is uploaded, so it is uploaded under another name and renamed.
    ByRename,
}

impl Dal {
    pub(super) fn new<B: Builder>(
        builder: B,
        http: Http,
        appears: Appears,
        description: String,
    ) -> Result<Self, StorageError> {
        let operator = Operator::new(builder).map_err(|error| StorageError::Misconfigured {
            setting: http.terms().place,
            why: format!("{} cannot be set up: {}", http.terms().service, error.message()),
        })?;
        let context = operator.base_context().with_http_transport(HttpTransporter::new(http.clone()));
        let operator = operator.with_context(context);
        let has_conditions = AtomicBool::new(operator.info().capability().write_with_if_not_exists);
        Ok(Self(Arc::new(Inner { operator, http, appears, has_conditions, description })))
    }

    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        match self.0.operator.read(path).await {
            Ok(bytes) => Ok(Some(bytes.to_bytes())),
            Err(error) => self.unless_absent(error, None),
        }
    }

    pub(super) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        if how == Write::New && self.0.has_conditions.load(Ordering::Relaxed) {
            match self.write_if_absent(path, bytes.clone()).await {
                Err(StorageError::Other { code, .. }) if code == "not_implemented" => {
                    self.0.has_conditions.store(false, Ordering::Relaxed);
                }
                done => return done,
            }
        }
        if how == Write::New && self.exists(path).await?.is_some() {
            return Err(StorageError::Exists);
        }
        match self.0.appears {
            Appears::ByRename => self.write_by_rename(path, bytes).await,
            Appears::Whole => {
                self.0.operator.write(path, bytes).await.map(drop).map_err(|error| self.failure(error))
            }
        }
    }

    async fn write_if_absent(&self, path: &str, bytes: Bytes) -> Result<(), StorageError> {
        let options = WriteOptions { if_not_exists: true, ..WriteOptions::default() };
        match self.0.operator.write_options(path, bytes, options).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists => Err(StorageError::Exists),
                // Two conditional writes of one name at the same moment: one of them is there now.
                ErrorKind::Conflict if self.exists(path).await?.is_some() => Err(StorageError::Exists),
                _ => Err(self.failure(error)),
            },
        }
    }

    async fn write_by_rename(&self, path: &str, bytes: Bytes) -> Result<(), StorageError> {
        let temporary = format!("{TEMPORARY_FOLDER}/{}.tmp", Uuid::now_v7().simple());
        let written = async {
            self.0.operator.write(&temporary, bytes).await?;
            self.0.operator.rename(&temporary, path).await
        };
        if let Err(error) = written.await {
            let failure = self.failure(error);
            // What cannot be removed now is swept at a later start; the failure that matters is the first.
            self.0.operator.delete(&temporary).await.ok();
            return Err(failure);
        }
        Ok(())
    }

    pub(super) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        match self.0.operator.stat(path).await {
            Ok(found) => Ok(found.is_file().then(|| found.content_length())),
            Err(error) => self.unless_absent(error, None),
        }
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        let folder = if folder.is_empty() { "/".to_owned() } else { format!("{folder}/") };
        let found = match self.0.operator.list(&folder).await {
            Ok(found) => found,
            Err(error) => return self.unless_absent(error, Vec::new()),
        };
        // The folder itself is in the list of some services.
        let found = found.into_iter().filter(|entry| entry.path() != folder && !entry.name().is_empty());
        Ok(found
            .map(|entry| {
                let about = entry.metadata();
                Entry {
                    name: entry.name().trim_end_matches('/').to_owned(),
                    is_folder: about.is_dir(),
                    bytes: about.is_file().then(|| about.content_length()),
                    modified_unix_ms: about.last_modified().map(|time| time.into_inner().as_millisecond()),
                }
            })
            .collect())
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        match self.0.operator.delete(path).await {
            Ok(()) => Ok(()),
            Err(error) => self.unless_absent(error, ()),
        }
    }

    pub(super) async fn sweep(&self, now_unix_ms: u64) -> Result<usize, StorageError> {
        if self.0.appears == Appears::Whole {
            return Ok(0);
        }
        let old = i64::try_from(now_unix_ms).unwrap_or(i64::MAX) - TEMPORARY_AGE_MAX_MS;
        let left = self.list(TEMPORARY_FOLDER).await?.into_iter();
        let left: Vec<_> = left
            .filter(|entry| !entry.is_folder && entry.modified_unix_ms.is_some_and(|time| time < old))
            .collect();
        for entry in &left {
            self.delete(&format!("{TEMPORARY_FOLDER}/{}", entry.name)).await?;
        }
        Ok(left.len())
    }

    pub(super) fn describe(&self) -> String {
        self.0.description.clone()
    }

    fn unless_absent<T>(&self, error: opendal::Error, absent: T) -> Result<T, StorageError> {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory => Ok(absent),
            _ => Err(self.failure(error)),
        }
    }

    /// What the transport has said, which is somewhere below; or what OpenDAL says, without its context, which has
    /// addresses and whole answers.
    fn failure(&self, error: opendal::Error) -> StorageError {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            if let Some(refusal) = error.downcast_ref::<StorageError>() {
                return refusal.clone();
            }
            cause = error.source();
        }
        let terms = self.0.http.terms();
        let why = format!("{}: {}: {}", terms.service, error.kind(), first_line(error.message()));
        match error.kind() {
            ErrorKind::ConfigInvalid => StorageError::Misconfigured { setting: terms.place, why },
            ErrorKind::PermissionDenied => StorageError::Denied { setting: terms.credentials, why },
            ErrorKind::RateLimited | ErrorKind::Conflict => StorageError::Busy { after: None, why },
            ErrorKind::Unexpected if why.contains("too little data") => StorageError::Corrupt { why },
            _ => StorageError::Other { code: "storage".to_owned(), why },
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

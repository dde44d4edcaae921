//! Looking whether every version is what it was, and mending what is not.

use std::collections::BTreeSet;

use postroom_sdk::Bytes;

use super::{Objects, pack::names_content};
use crate::vault::{
    Error, Version,
    body::{DecodeError, sha256},
    names,
};

/// What was found of one collection.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) versions: usize,
    pub(crate) bytes: u64,
    pub(crate) damaged: Vec<Damage>,
    /// Versions whose stored file is as it was written, but nobody here has the key to what is in it.
    pub(crate) not_decrypted: usize,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The version; absent when a file about versions cannot be read.
    pub(crate) version: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) what: String,
}

/// What came of a repair.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mending {
    /// The version has its body again.
    Done,
    /// It was not damaged.
    NotNeeded,
    /// What was given is not the body of the version.
    OtherBody,
}

impl Objects {
    /// Reads every version of a collection.
    pub(crate) async fn verify(&self, key: &str) -> Result<Verified, Error> {
        let history = self.load_fresh(key).await?;
        let mut verified = Verified::default();
        let folder = names::versions_folder(key);
        for (name, why) in history.damaged() {
            let what = format!("it cannot be read: {why}");
            verified.damaged.push(Damage { version: None, file: Some(format!("{folder}/{name}")), what });
        }
        for name in history.files.keys().filter(|name| name.ends_with(".pack.json")) {
            let file = format!("{folder}/{name}");
            let bytes = self.shelf.read(&file).await?;
            // One that is gone has become part of a larger one meanwhile.
            if bytes.is_some_and(|bytes| !names_content(name, &bytes)) {
                let what = "it is not what was written".to_owned();
                verified.damaged.push(Damage { version: None, file: Some(file), what });
            }
        }
        for id in history.missing() {
            let what = "a later version says that it was there, and nothing else knows of it".to_owned();
            verified.damaged.push(Damage { version: Some(id.to_owned()), file: None, what });
        }
        let mut sound = BTreeSet::new();
        for version in history.live() {
            verified.versions += 1;
            // Several versions may have one body.
            if sound.contains(&(version.stored.file.as_str(), version.sha256.as_str())) {
                continue;
            }
            match self.check(version).await? {
                Checked::Sound => verified.bytes += version.stored.bytes,
                Checked::NotDecrypted => {
                    verified.bytes += version.stored.bytes;
                    verified.not_decrypted += 1;
                }
                Checked::Damaged(what) => {
                    let (version, file) = (Some(version.id.clone()), Some(version.stored.file.clone()));
                    verified.damaged.push(Damage { version, file, what });
                    continue;
                }
            }
            sound.insert((version.stored.file.as_str(), version.sha256.as_str()));
        }
        Ok(verified)
    }

    async fn check(&self, version: &Version) -> Result<Checked, Error> {
        let stored = &version.stored;
        let Some(bytes) = self.shelf.read(&stored.file).await? else {
            return Ok(Checked::Damaged("its body is not there".to_owned()));
        };
        if bytes.len() as u64 != stored.bytes || sha256(bytes.clone()).await? != stored.sha256 {
            return Ok(Checked::Damaged("the file of its body is not what was written".to_owned()));
        }
        Ok(match self.settings.coding.hash(&stored.file, bytes, version.bytes).await {
            Ok(hash) if hash == version.sha256 => Checked::Sound,
            Ok(_) => Checked::Damaged("its body has another hash than its record says".to_owned()),
            Err(DecodeError::NoIdentity) => Checked::NotDecrypted,
            Err(DecodeError::Damaged(why)) => Checked::Damaged(format!("its body cannot be read: {why}")),
            Err(DecodeError::Interrupted) => return Err(Error::Interrupted),
        })
    }

    /// Gives a version its body again. Its record is written anew, with where the body is now.
    pub(crate) async fn mend(
        &self,
        key: &str,
        version: &Version,
        body: Bytes,
        now_unix_ms: u64,
    ) -> Result<Mending, Error> {
        if body.len() as u64 != version.bytes || sha256(body.clone()).await? != version.sha256 {
            return Ok(Mending::OtherBody);
        }
        if !matches!(self.check(version).await?, Checked::Damaged(_)) {
            return Ok(Mending::NotNeeded);
        }
        let mut version = version.clone();
        version.stored = self.store(key, &version.event_id, &version, body, now_unix_ms).await?;
        version.written_unix_ms = now_unix_ms.max(version.written_unix_ms + 1);
        self.record(key, &version, now_unix_ms).await?;
        Ok(Mending::Done)
    }
}

enum Checked {
    Sound,
    NotDecrypted,
    Damaged(String),
}

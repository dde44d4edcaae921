//! From the settings to a storage.

use super::{BoxCloud, Folder, Service, Setup, Sftp, Storage, StorageError, services};
use crate::config::{Config, Kind};

impl Storage {
    /// Makes the storage of the settings. Nothing is sent yet: a service that is down must not keep the gateway from
    /// starting, and backups wait for it.
    pub(crate) fn open(config: &Config, setup: &Setup) -> Result<Self, StorageError> {
        let service = match config.storage {
            Kind::Folder => Service::Folder(Folder::new(given(&config.root, "root")?.clone())),
            Kind::S3 => Service::Dal(services::s3(given(&config.s3, "s3")?, setup)?),
            Kind::Gcs => Service::Dal(services::gcs(given(&config.gcs, "gcs")?, setup)?),
            Kind::Azblob => Service::Dal(services::azblob(given(&config.azblob, "azblob")?, setup)?),
            Kind::Webdav => Service::Dal(services::webdav(given(&config.webdav, "webdav")?, setup)?),
            Kind::Dropbox => Service::Dal(services::dropbox(given(&config.dropbox, "dropbox")?, setup)?),
            Kind::Gdrive => Service::Dal(services::gdrive(given(&config.gdrive, "gdrive")?, setup)?),
            Kind::Onedrive => Service::Dal(services::onedrive(given(&config.onedrive, "onedrive")?, setup)?),
            Kind::Sftp => Service::Sftp(Sftp::new(given(&config.sftp, "sftp")?, setup)?),
            Kind::Git => {
                let why = "a repository is no storage of files".to_owned();
                return Err(StorageError::Misconfigured { setting: "storage", why });
            }
            Kind::Box => Service::Box(BoxCloud::new(given(&config.box_cloud, "box")?, setup)?),
        };
        Ok(Self { service })
    }
}

/// The settings have been checked before, so this is for those that were not.
fn given<'a, T>(table: &'a Option<T>, setting: &'static str) -> Result<&'a T, StorageError> {
    table.as_ref().ok_or_else(|| StorageError::Misconfigured {
        setting,
        why: "the settings of the storage are missing".to_owned(),
    })
}

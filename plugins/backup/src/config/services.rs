//! The settings of each service, in a table of its name.

use postroom_sdk::SecretRef;
use schemars::JsonSchema;
use serde::Deserialize;

/// S3 of AWS, and what speaks like it: MinIO, Cloudflare R2, Backblaze B2, Wasabi, Ceph, Garage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3 {
    /// Name of the bucket. It is not created.
    #[schemars(length(min = 1))]
    pub(crate) bucket: String,
    /// Folder in the bucket; its top unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// Region of the bucket, such as "eu-central-1"; "auto" for Cloudflare R2.
    #[schemars(length(min = 1))]
    pub(crate) region: String,
    /// Address of the service; that of AWS unless set.
    pub(crate) endpoint: Option<String>,
    /// Access key id.
    pub(crate) access_key_id: SecretRef,
    /// Secret access key.
    pub(crate) secret_access_key: SecretRef,
    /// Session token, with temporary keys.
    pub(crate) session_token: Option<SecretRef>,
    /// Whether the bucket is part of the host's name (`bucket.host`) instead of the path.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(crate) virtual_host: bool,
    /// Storage class of new objects, such as "STANDARD_IA"; the bucket's own unless set.
    pub(crate) storage_class: Option<String>,
}

/// Google Cloud Storage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gcs {
    /// Name of the bucket. It is not created.
    #[schemars(length(min = 1))]
    pub(crate) bucket: String,
    /// Folder in the bucket; its top unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// Key of a service account: its JSON file as it was downloaded.
    pub(crate) service_account: SecretRef,
    /// Address of the service; that of Google unless set.
    pub(crate) endpoint: Option<String>,
}

/// Azure Blob Storage. Either `account_key` or `sas_token`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Azblob {
    /// Name of the container. It is not created.
    #[schemars(length(min = 1))]
    pub(crate) container: String,
    /// Folder in the container; its top unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// Name of the storage account.
    #[schemars(length(min = 1))]
    pub(crate) account: String,
    /// Address of the service; `https://<account>.blob.core.windows.net` unless set.
    pub(crate) endpoint: Option<String>,
    /// Key of the storage account.
    pub(crate) account_key: Option<SecretRef>,
    /// Shared access signature, for the container, with the rights to read, add, create, write, delete and list.
    pub(crate) sas_token: Option<SecretRef>,
}

/// WebDAV: Nextcloud, ownCloud, Apache, nginx.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webdav {
    /// Address of the folder that is reached by WebDAV, such as `https://cloud.example/remote.php/dav/files/me`.
    #[schemars(length(min = 1))]
    pub(crate) endpoint: String,
    /// Folder below it; the address itself unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// User name, with `password`.
    pub(crate) username: Option<String>,
    /// Password of the user; an app password where there is one.
    pub(crate) password: Option<SecretRef>,
    /// Bearer token, in the place of user and password.
    pub(crate) token: Option<SecretRef>,
}

/// A server that is reached by SFTP. Either `password` or `private_key`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sftp {
    /// Name or address of the server.
    #[schemars(length(min = 1))]
    pub(crate) host: String,
    /// Its port.
    #[serde(default = "ssh_port")]
    #[schemars(range(min = 1), extend("default" = 22))]
    pub(crate) port: u16,
    /// Folder on the server; a relative one starts at the user's home.
    #[schemars(length(min = 1))]
    pub(crate) folder: String,
    /// User name.
    #[schemars(length(min = 1))]
    pub(crate) username: String,
    /// Fingerprint of the server's key, such as "SHA256:…": `ssh-keyscan host | ssh-keygen -lf -` shows it.
    #[schemars(regex(pattern = "^SHA256:"))]
    pub(crate) host_key: String,
    /// Password of the user.
    pub(crate) password: Option<SecretRef>,
    /// Private key of the user, Ed25519 or ECDSA, as OpenSSH or PKCS#8 has it.
    pub(crate) private_key: Option<SecretRef>,
    /// Passphrase of the private key.
    pub(crate) passphrase: Option<SecretRef>,
}

const fn ssh_port() -> u16 {
    22
}

/// Dropbox. Either `access_token`, which ends after four hours, or `client_id` and `refresh_token`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dropbox {
    /// Folder in the Dropbox, or in the app's own folder; its top unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// Key of the app.
    pub(crate) client_id: Option<String>,
    /// Secret of the app; none for an app that uses PKCE.
    pub(crate) client_secret: Option<SecretRef>,
    /// Refresh token, of an authorization with `token_access_type=offline`.
    pub(crate) refresh_token: Option<SecretRef>,
    /// Access token, for a trial.
    pub(crate) access_token: Option<SecretRef>,
}

/// Google Drive, the user's own drive. Either `access_token`, which ends after an hour, or `client_id`, `client_secret`
/// and `refresh_token`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gdrive {
    /// Folder in the drive; its top unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// Client id of the app.
    pub(crate) client_id: Option<String>,
    /// Client secret of the app.
    pub(crate) client_secret: Option<SecretRef>,
    /// Refresh token, with the scope `https://www.googleapis.com/auth/drive.file`.
    pub(crate) refresh_token: Option<SecretRef>,
    /// Access token, for a trial.
    pub(crate) access_token: Option<SecretRef>,
}

/// OneDrive, the user's own drive. Either `access_token`, which ends after an hour, or `client_id` and `refresh_token`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Onedrive {
    /// Folder in the drive; its top unless set.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub(crate) folder: String,
    /// Client id of the app.
    pub(crate) client_id: Option<String>,
    /// Client secret of the app; none for a public client.
    pub(crate) client_secret: Option<SecretRef>,
    /// Refresh token, with the scopes `offline_access Files.ReadWrite`.
    pub(crate) refresh_token: Option<SecretRef>,
    /// Access token, for a trial.
    pub(crate) access_token: Option<SecretRef>,
}

/// Box. Either `access_token`, which ends after an hour, or `client_id`, `client_secret` and one of `enterprise_id` and
/// `user_id` of an app with Client Credentials Grant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoxCloud {
    /// Id of the folder, the number at the end of its address; "0" is the top, and the default.
    #[serde(default = "top")]
    #[schemars(regex(pattern = "^[0-9]+$"), extend("default" = "0"))]
    pub(crate) folder_id: String,
    /// Client id of the app.
    pub(crate) client_id: Option<String>,
    /// Client secret of the app.
    pub(crate) client_secret: Option<SecretRef>,
    /// Enterprise whose service account is used. Share the folder with that account.
    pub(crate) enterprise_id: Option<String>,
    /// User who is acted for.
    pub(crate) user_id: Option<String>,
    /// Access token, for a trial: the developer token of the app.
    pub(crate) access_token: Option<SecretRef>,
}

fn top() -> String {
    "0".to_owned()
}

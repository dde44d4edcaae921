//! The services of OpenDAL: how each is set up, and the names its settings have.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use opendal::services;
use postroom_sdk::{Secret, SecretRef};

use super::{
    Setup, StorageError,
    answer::Terms,
    dal::{Appears, Dal},
    google::ServiceAccount,
    oauth::{Grant, Tokens},
    transport::Http,
};
use crate::config;

/// OpenDAL wants a token to be there; the transport puts the valid one in its place.
const TOKEN_PLACE: &str = "token";

pub(super) fn s3(settings: &config::S3, setup: &Setup) -> Result<Dal, StorageError> {
    let terms =
        Terms { service: "S3", credentials: "s3.access_key_id", place: "s3.bucket", place_is: "the bucket" };
    let endpoint = settings.endpoint.as_deref().unwrap_or("https://s3.amazonaws.com");
    let key_id = resolve(setup, &settings.access_key_id)?;
    let key = resolve(setup, &settings.secret_access_key)?;
    let mut builder = services::S3::default()
        .bucket(&settings.bucket)
        .root(&settings.folder)
        .region(&settings.region)
        .endpoint(endpoint)
        .access_key_id(key_id.expose())
        .secret_access_key(key.expose())
        // Neither the environment nor files nor a machine's own role: the settings alone say who we are.
        .disable_config_load();
    let mut secrets = vec![key_id, key];
    if let Some(token) = &settings.session_token {
        let token = resolve(setup, token)?;
        builder = builder.session_token(token.expose());
        secrets.push(token);
    }
    if settings.virtual_host {
        builder = builder.enable_virtual_host_style();
    }
    if let Some(class) = &settings.storage_class {
        builder = builder.default_storage_class(class);
    }
    let description = format!("s3 bucket {}{} at {endpoint}", settings.bucket, below(&settings.folder));
    Dal::new(builder, Http::new(setup, terms, secrets), Appears::Whole, description)
}

pub(super) fn gcs(settings: &config::Gcs, setup: &Setup) -> Result<Dal, StorageError> {
    let terms = Terms {
        service: "Google Cloud Storage",
        credentials: "gcs.service_account",
        place: "gcs.bucket",
        place_is: "the bucket",
    };
    let file = resolve(setup, &settings.service_account)?;
    let account = ServiceAccount::read(&file).map_err(|why| StorageError::Misconfigured {
        setting: terms.credentials,
        why: format!("the key of the service account cannot be used: {why}"),
    })?;
    let http = Http::with_tokens(setup, terms, vec![file], Tokens::new(Grant::Account(Box::new(account))));
    let mut builder = services::Gcs::default()
        .bucket(&settings.bucket)
        .root(&settings.folder)
        .token(TOKEN_PLACE.to_owned())
        .disable_config_load()
        .disable_vm_metadata();
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint(endpoint);
    }
    let description = format!("gcs bucket {}{}", settings.bucket, below(&settings.folder));
    Dal::new(builder, http, Appears::Whole, description)
}

pub(super) fn azblob(settings: &config::Azblob, setup: &Setup) -> Result<Dal, StorageError> {
    let key = settings.account_key.as_ref().map(|key| resolve(setup, key)).transpose()?;
    let sas = settings.sas_token.as_ref().map(|token| resolve(setup, token)).transpose()?;
    let terms = Terms {
        service: "Azure Blob Storage",
        credentials: if key.is_some() { "azblob.account_key" } else { "azblob.sas_token" },
        place: "azblob.container",
        place_is: "the container",
    };
    let usual = format!("https://{}.blob.core.windows.net", settings.account);
    let endpoint = settings.endpoint.as_deref().unwrap_or(&usual);
    let mut builder = services::Azblob::default()
        .container(&settings.container)
        .root(&settings.folder)
        .endpoint(endpoint)
        .account_name(&settings.account);
    if let Some(key) = &key {
        if BASE64_STANDARD.decode(key.expose()).is_err() {
            return Err(StorageError::Misconfigured {
                setting: "azblob.account_key",
                why: "the key is no Base64, so it is not the one that Azure shows".to_owned(),
            });
        }
        builder = builder.account_key(key.expose());
    }
    if let Some(sas) = &sas {
        builder = builder.sas_token(sas.expose().trim_start_matches('?'));
    }
    let secrets = key.into_iter().chain(sas).collect();
    let description =
        format!("azblob container {}{} at {endpoint}", settings.container, below(&settings.folder));
    Dal::new(builder, Http::new(setup, terms, secrets), Appears::Whole, description)
}

pub(super) fn webdav(settings: &config::Webdav, setup: &Setup) -> Result<Dal, StorageError> {
    let terms = Terms {
        service: "WebDAV",
        credentials: if settings.token.is_some() { "webdav.token" } else { "webdav.password" },
        place: "webdav.endpoint",
        place_is: "the folder",
    };
    let mut builder = services::Webdav::default().endpoint(&settings.endpoint).root(&settings.folder);
    let mut secrets = Vec::new();
    if let (Some(username), Some(password)) = (&settings.username, &settings.password) {
        let password = resolve(setup, password)?;
        builder = builder.username(username).password(password.expose());
        secrets.push(password);
    }
    if let Some(token) = &settings.token {
        let token = resolve(setup, token)?;
        builder = builder.token(token.expose());
        secrets.push(token);
    }
    let description = format!("webdav folder {}{}", settings.endpoint, below(&settings.folder));
    // Many servers show a file while it is being uploaded.
    Dal::new(builder, Http::new(setup, terms, secrets), Appears::ByRename, description)
}

pub(super) fn dropbox(settings: &config::Dropbox, setup: &Setup) -> Result<Dal, StorageError> {
    let terms = Terms {
        service: "Dropbox",
        credentials: credentials(&settings.access_token, "dropbox.access_token", "dropbox.refresh_token"),
        place: "dropbox.folder",
        place_is: "the folder",
    };
    let http = refreshed(
        setup,
        terms,
        "https://api.dropboxapi.com/oauth2/token",
        App {
            client_id: settings.client_id.as_deref(),
            client_secret: settings.client_secret.as_ref(),
            refresh_token: settings.refresh_token.as_ref(),
            access_token: settings.access_token.as_ref(),
            scope: None,
        },
    )?;
    let builder = services::Dropbox::default().root(&settings.folder).access_token(TOKEN_PLACE);
    Dal::new(builder, http, Appears::Whole, format!("dropbox folder /{}", plain(&settings.folder)))
}

pub(super) fn gdrive(settings: &config::Gdrive, setup: &Setup) -> Result<Dal, StorageError> {
    let terms = Terms {
        service: "Google Drive",
        credentials: credentials(&settings.access_token, "gdrive.access_token", "gdrive.refresh_token"),
        place: "gdrive.folder",
        place_is: "the folder",
    };
    let http = refreshed(
        setup,
        terms,
        "https://oauth2.googleapis.com/token",
        App {
            client_id: settings.client_id.as_deref(),
            client_secret: settings.client_secret.as_ref(),
            refresh_token: settings.refresh_token.as_ref(),
            access_token: settings.access_token.as_ref(),
            scope: None,
        },
    )?;
    let builder = services::Gdrive::default().root(&settings.folder).access_token(TOKEN_PLACE);
    Dal::new(builder, http, Appears::Whole, format!("gdrive folder /{}", plain(&settings.folder)))
}

pub(super) fn onedrive(settings: &config::Onedrive, setup: &Setup) -> Result<Dal, StorageError> {
    let terms = Terms {
        service: "OneDrive",
        credentials: credentials(&settings.access_token, "onedrive.access_token", "onedrive.refresh_token"),
        place: "onedrive.folder",
        place_is: "the folder",
    };
    let http = refreshed(
        setup,
        terms,
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        App {
            client_id: settings.client_id.as_deref(),
            client_secret: settings.client_secret.as_ref(),
            refresh_token: settings.refresh_token.as_ref(),
            access_token: settings.access_token.as_ref(),
            scope: Some("offline_access Files.ReadWrite"),
        },
    )?;
    let builder = services::Onedrive::default().root(&settings.folder).access_token(TOKEN_PLACE);
    Dal::new(builder, http, Appears::Whole, format!("onedrive folder /{}", plain(&settings.folder)))
}

/// An app that somebody has authorized.
struct App<'a> {
    client_id: Option<&'a str>,
    client_secret: Option<&'a SecretRef>,
    refresh_token: Option<&'a SecretRef>,
    access_token: Option<&'a SecretRef>,
    scope: Option<&'static str>,
}

/// A client with the access token that is given, or with those that the refresh token gets.
fn refreshed(setup: &Setup, terms: Terms, url: &'static str, app: App<'_>) -> Result<Http, StorageError> {
    if let Some(token) = app.access_token {
        let token = resolve(setup, token)?;
        let tokens = Tokens::new(Grant::Fixed(token.clone()));
        return Ok(Http::following(setup, terms, vec![token], tokens));
    }
    let mut parameters = vec![("grant_type", Secret::new("refresh_token"))];
    let mut secrets = Vec::new();
    for (name, secret) in [("refresh_token", app.refresh_token), ("client_secret", app.client_secret)] {
        if let Some(secret) = secret {
            let secret = resolve(setup, secret)?;
            secrets.push(secret.clone());
            parameters.push((name, secret));
        }
    }
    parameters.extend(app.client_id.map(|id| ("client_id", Secret::new(id))));
    parameters.extend(app.scope.map(|scope| ("scope", Secret::new(scope))));
    Ok(Http::following(setup, terms, secrets, Tokens::new(Grant::Form { url, parameters })))
}

fn credentials(access_token: &Option<SecretRef>, trial: &'static str, lasting: &'static str) -> &'static str {
    if access_token.is_some() { trial } else { lasting }
}

/// The value of a secret, without the end of line that files have.
pub(super) fn resolve(setup: &Setup, secret: &SecretRef) -> Result<Secret, StorageError> {
    let value = setup.secret(secret).map_err(|error| StorageError::other("secret", error.to_string()))?;
    Ok(Secret::new(value.expose().trim_end_matches(['\r', '\n'])))
}

fn plain(folder: &str) -> &str {
    folder.trim_matches('/')
}

fn below(folder: &str) -> String {
    if plain(folder).is_empty() { String::new() } else { format!("/{}", plain(folder)) }
}

//! Box, by its Content API.
//!
//! Box knows files and folders by numbers. Folders are found by walking down from the one of the settings, and
//! remembered; a file is found by asking whether its name could be uploaded (the API's preflight check), which a folder of
//! any size answers at once.

mod tree;
mod upload;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use postroom_sdk::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use self::tree::Tree;
use super::{
    Entry, Setup, StorageError, Write,
    answer::Terms,
    oauth::{Grant, Tokens},
    services::resolve,
    transport::Http,
};
use crate::config;

const API: &str = "https://api.box.com/2.0";
const UPLOAD: &str = "https://upload.box.com/api/2.0";
const TOKEN: &str = "https://api.box.com/oauth2/token";

#[derive(Debug, Clone)]
pub(super) struct BoxCloud(Arc<Inner>);

struct Inner {
    http: Http,
    tree: Tree,
    description: String,
}

/// A file or folder as lists and answers to uploads have it.
#[derive(Debug, Deserialize)]
struct Item {
    id: String,
    r#type: String,
    #[serde(default)]
    name: String,
    size: Option<u64>,
    modified_at: Option<String>,
}

impl BoxCloud {
    pub(super) fn new(settings: &config::BoxCloud, setup: &Setup) -> Result<Self, StorageError> {
        let trial = settings.access_token.is_some();
        let terms = Terms {
            service: "Box",
            credentials: if trial { "box.access_token" } else { "box.client_secret" },
            place: "box.folder_id",
            place_is: "the folder",
        };
        let (secret, tokens) = match (&settings.access_token, &settings.client_secret) {
            (Some(token), _) => {
                let token = resolve(setup, token)?;
                (token.clone(), Tokens::new(Grant::Fixed(token)))
            }
            (None, Some(secret)) => {
                let secret = resolve(setup, secret)?;
                let (subject, id) = match (&settings.enterprise_id, &settings.user_id) {
                    (Some(id), _) => ("enterprise", id.as_str()),
                    (None, id) => ("user", id.as_deref().unwrap_or_default()),
                };
                let parameters = vec![
                    ("grant_type", Secret::new("client_credentials")),
                    ("client_id", Secret::new(settings.client_id.as_deref().unwrap_or_default())),
                    ("client_secret", secret.clone()),
                    ("box_subject_type", Secret::new(subject)),
                    ("box_subject_id", Secret::new(id)),
                ];
                (secret, Tokens::new(Grant::Form { url: TOKEN, parameters }))
            }
            (None, None) => {
                return Err(StorageError::Misconfigured {
                    setting: "box.client_secret",
                    why: "there is neither a secret nor a token".to_owned(),
                });
            }
        };
        let description = format!("box folder {}", settings.folder_id);
        let http = Http::following(setup, terms, vec![secret], tokens);
        let tree = Tree::new(settings.folder_id.clone());
        Ok(Self(Arc::new(Inner { http, tree, description })))
    }

    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        let Some(file) = self.file(path).await? else { return Ok(None) };
        let answer = self.0.ask(Method::GET, &format!("{API}/files/{file}/content"), None).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(answer.into_body())),
            StatusCode::NOT_FOUND => Ok(None),
            // It was uploaded just now and is not at hand yet.
            StatusCode::ACCEPTED => Err(StorageError::Busy {
                after: None,
                why: "Box has not finished taking the file in".to_owned(),
            }),
            _ => Err(self.0.unexpected(&answer)),
        }
    }

    pub(super) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        let (folder, name) = split(path);
        let folder = self.0.make_folder(folder).await?;
        let existing = match how {
            Write::New => None,
            Write::Replace => self.0.file_in(&folder, name).await?,
        };
        match self.0.upload(&folder, name, existing.as_deref(), &bytes).await? {
            Ok(()) => Ok(()),
            Err(_) if how == Write::New => Err(StorageError::Exists),
            // Somebody has made it between the question and the upload.
            Err(id) => match self.0.upload(&folder, name, Some(&id), &bytes).await? {
                Ok(()) => Ok(()),
                Err(_) => Err(self.0.http.strange("a new version is in conflict with its file")),
            },
        }
    }

    pub(super) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        let Some(file) = self.file(path).await? else { return Ok(None) };
        let answer =
            self.0.ask(Method::GET, &format!("{API}/files/{file}?fields=id,type,size"), None).await?;
        match answer.status() {
            StatusCode::OK => Ok(self.0.parse::<Item>(&answer)?.size),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.0.unexpected(&answer)),
        }
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        let Some(folder) = self.0.folder(folder).await? else { return Ok(Vec::new()) };
        let items = self.0.items(&folder).await?.into_iter();
        let items = items.filter(|item| matches!(item.r#type.as_str(), "file" | "folder"));
        Ok(items
            .map(|item| Entry {
                is_folder: item.r#type == "folder",
                bytes: item.size.filter(|_| item.r#type == "file"),
                modified_unix_ms: item
                    .modified_at
                    .and_then(|time| chrono::DateTime::parse_from_rfc3339(&time).ok())
                    .map(|time| time.timestamp_millis()),
                name: item.name,
            })
            .collect())
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        let Some(file) = self.file(path).await? else { return Ok(()) };
        let answer = self.0.ask(Method::DELETE, &format!("{API}/files/{file}"), None).await?;
        match answer.status() {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.0.unexpected(&answer)),
        }
    }

    /// Nothing is left behind: uploads are seen when they are whole, and Box forgets those that are not.
    pub(super) async fn sweep(&self, _now_unix_ms: u64) -> Result<usize, StorageError> {
        Ok(0)
    }

    pub(super) fn describe(&self) -> String {
        self.0.description.clone()
    }

    /// The number of a file; `None` when there is none.
    async fn file(&self, path: &str) -> Result<Option<String>, StorageError> {
        let (folder, name) = split(path);
        match self.0.folder(folder).await? {
            Some(folder) => self.0.file_in(&folder, name).await,
            None => Ok(None),
        }
    }
}

impl Inner {
    async fn file_in(&self, folder: &str, name: &str) -> Result<Option<String>, StorageError> {
        let question = json!({ "name": name, "parent": { "id": folder } });
        let answer = self.ask(Method::OPTIONS, &format!("{API}/files/content"), Some(&question)).await?;
        match answer.status() {
            StatusCode::OK => Ok(None),
            StatusCode::CONFLICT => {
                let conflict = self.conflict(&answer)?;
                Ok((conflict.r#type == "file").then_some(conflict.id))
            }
            StatusCode::NOT_FOUND => Err(self.folder_gone()),
            _ => Err(self.unexpected(&answer)),
        }
    }

    /// Sends a request with a token, and JSON if there is some.
    async fn ask(
        &self,
        method: Method,
        url: &str,
        json: Option<&Value>,
    ) -> Result<Response<Bytes>, StorageError> {
        let mut request = Request::builder().method(method).uri(url).header(header::AUTHORIZATION, "Bearer");
        if json.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = json.map(|json| Bytes::from(json.to_string())).unwrap_or_default();
        self.http.send(request.body(body).map_err(|_| self.http.strange("an address that is none"))?).await
    }

    fn parse<T: for<'a> Deserialize<'a>>(&self, answer: &Response<Bytes>) -> Result<T, StorageError> {
        serde_json::from_slice(answer.body()).map_err(|_| self.http.strange("an answer of another form"))
    }

    /// What has the name already. Box gives one, or a list of one.
    fn conflict(&self, answer: &Response<Bytes>) -> Result<Item, StorageError> {
        let mut body: Value = self.parse(answer)?;
        if body["code"] != "item_name_in_use" {
            // Such as a name that is just being uploaded by somebody else.
            return Err(StorageError::Busy { after: None, why: format!("Box: {}", body["code"]) });
        }
        let conflicts = body["context_info"]["conflicts"].take();
        let conflict = match conflicts {
            Value::Array(mut several) if !several.is_empty() => several.swap_remove(0),
            other => other,
        };
        serde_json::from_value(conflict).map_err(|_| self.http.strange("a conflict without its item"))
    }

    fn unexpected(&self, answer: &Response<Bytes>) -> StorageError {
        self.http.strange(&format!("unexpected status {}", answer.status().as_u16()))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("description", &self.description).finish_non_exhaustive()
    }
}

/// The folder of a path, and the name in it.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests;

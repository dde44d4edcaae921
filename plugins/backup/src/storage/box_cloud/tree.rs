//! Folders: from paths to numbers.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{API, Inner, Item};
use crate::storage::StorageError;

/// Most items of one page.
const PAGE: usize = 1000;

/// The numbers of the folders that were seen.
pub(super) struct Tree {
    root: String,
    /// By path; a folder that is moved away by hand is forgotten when it is missed.
    known: Mutex<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Page {
    entries: Vec<Item>,
    next_marker: Option<String>,
}

impl Tree {
    pub(super) fn new(root: String) -> Self {
        Self { root, known: Mutex::default() }
    }

    fn known(&self, path: &str) -> Option<String> {
        if path.is_empty() {
            return Some(self.root.clone());
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn learn(&self, path: &str, id: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), id.to_owned());
    }

    fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Inner {
    /// The number of a folder; `None` when there is none.
    pub(super) async fn folder(&self, path: &str) -> Result<Option<String>, StorageError> {
        let (mut id, missing) = self.nearest(path);
        for path in missing {
            let name = path.rsplit('/').next().unwrap_or(path);
            let found =
                self.items(&id).await?.into_iter().find(|item| item.r#type == "folder" && item.name == name);
            let Some(found) = found else { return Ok(None) };
            self.tree.learn(path, &found.id);
            id = found.id;
        }
        Ok(Some(id))
    }

    /// The number of a folder, which is made with those above it as far as they are missing.
    pub(super) async fn make_folder(&self, path: &str) -> Result<String, StorageError> {
        let (mut id, missing) = self.nearest(path);
        for path in missing {
            let name = path.rsplit('/').next().unwrap_or(path);
            let wanted = json!({ "name": name, "parent": { "id": id } });
            let answer = self.ask(Method::POST, &format!("{API}/folders"), Some(&wanted)).await?;
            id = match answer.status() {
                StatusCode::CREATED => self.parse::<Item>(&answer)?.id,
                StatusCode::CONFLICT => {
                    let existing = self.conflict(&answer)?;
                    if existing.r#type != "folder" {
                        return Err(self.http.strange("a file has the name of a folder"));
                    }
                    existing.id
                }
                StatusCode::NOT_FOUND => return Err(self.folder_gone()),
                _ => return Err(self.unexpected(&answer)),
            };
            self.tree.learn(path, &id);
        }
        Ok(id)
    }

    /// The nearest folder that is known, and the paths from there on.
    fn nearest<'a>(&self, path: &'a str) -> (String, Vec<&'a str>) {
        let mut missing = Vec::new();
        let mut path = path;
        loop {
            if let Some(id) = self.tree.known(path) {
                missing.reverse();
                return (id, missing);
            }
            missing.push(path);
            path = path.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// Everything directly in a folder.
    pub(super) async fn items(&self, folder: &str) -> Result<Vec<Item>, StorageError> {
        let mut items = Vec::new();
        let mut marker = String::new();
        loop {
            let answer = self.ask(Method::GET, &page(folder, &marker), None).await?;
            match answer.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => return Err(self.folder_gone()),
                _ => return Err(self.unexpected(&answer)),
            }
            let page: Page = self.parse(&answer)?;
            items.extend(page.entries);
            match page.next_marker.filter(|next| !next.is_empty()) {
                Some(next) => marker = next,
                None => return Ok(items),
            }
        }
    }

    /// A folder that was known, or the one of the settings, is not there: the next try looks anew.
    pub(super) fn folder_gone(&self) -> StorageError {
        let only_root = self.tree.known.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        self.tree.forget();
        if only_root {
            let what = format!("the folder {}", self.tree.root);
            return StorageError::NotFound { setting: "box.folder_id", what };
        }
        StorageError::Busy { after: None, why: "a folder was moved or removed in Box meanwhile".to_owned() }
    }
}

/// The address of a page of a folder's items, from `marker` on.
fn page(folder: &str, marker: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("fields", "id,type,name,size,modified_at");
    query.append_pair("limit", &PAGE.to_string());
    query.append_pair("usemarker", "true");
    if !marker.is_empty() {
        query.append_pair("marker", marker);
    }
    format!("{API}/folders/{folder}/items?{}", query.finish())
}

//! Dropbox, by the documents of its HTTP API, version 2.

use std::{collections::BTreeMap, sync::Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    server::{Call, Reply, Rules, json, reply},
    tokens::Tokens,
};

/// Entries of a page; few, so that every list of the tests has several.
const PAGE: usize = 3;

#[derive(Debug, Default)]
pub(crate) struct Dropbox {
    pub(crate) tokens: Tokens,
    /// By path in lower case: names differ in more than case.
    files: Mutex<BTreeMap<String, (String, Bytes)>>,
}

impl Rules for Dropbox {
    fn answer(&self, call: &Call) -> Reply {
        if call.path == "/oauth2/token" {
            assert_eq!(call.host, "api.dropboxapi.com");
            let app = [
                ("grant_type", "refresh_token"),
                ("refresh_token", "r3fresh/+="),
                ("client_id", "app key"),
                ("client_secret", "cl13nt&s3cret"),
            ];
            return self.tokens.give(call, &app);
        }
        assert_eq!(call.method, "POST", "{}", call.path);
        if !self.tokens.is_valid(call) {
            let error = json!({ "error_summary": "expired_access_token/", "error": { ".tag": "expired_access_token" } });
            return json(401, &error);
        }
        match (call.host.as_str(), call.path.as_str()) {
            ("content.dropboxapi.com", "/2/files/upload") => self.upload(call),
            ("content.dropboxapi.com", "/2/files/download") => self.download(call),
            ("api.dropboxapi.com", path) => {
                assert_eq!(call.header("content-type"), "application/json");
                let argument = call.json();
                match path {
                    "/2/files/get_metadata" => self.metadata(&argument),
                    "/2/files/list_folder" => self.list(&argument),
                    "/2/files/list_folder/continue" => self.list_on(&argument),
                    "/2/files/delete_v2" => self.delete(&argument),
                    _ => panic!("Dropbox has no {path} here"),
                }
            }
            other => panic!("Dropbox has no {other:?}"),
        }
    }
}

/// The argument in the header, which has to be ASCII.
fn argument(call: &Call) -> Value {
    serde_json::from_str(call.header("dropbox-api-arg")).unwrap()
}

fn path_of(argument: &Value) -> String {
    let path = argument["path"].as_str().unwrap().to_owned();
    // The documented pattern: the root is the empty text, and no path ends in a slash.
    assert!(path.is_empty() || (path.starts_with('/') && !path.ends_with('/')), "a path {path:?}");
    path
}

fn error(summary: &str) -> Reply {
    json(409, &json!({ "error_summary": format!("{summary}/.."), "error": { ".tag": "path" } }))
}

fn file(path: &str, bytes: &Bytes, tagged: bool) -> Value {
    let mut file = json!({
        "name": path.rsplit('/').next().unwrap(),
        "id": format!("id:{}", path.len()),
        "client_modified": "2026-11-21T19:36:47Z",
        "server_modified": "2026-11-21T19:36:47Z",
        "rev": "a1c10ce0dd78",
        "size": bytes.len(),
        "path_lower": path.to_lowercase(),
        "path_display": path,
        "is_downloadable": true,
        "content_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
    if tagged {
        file[".tag"] = json!("file");
    }
    file
}

fn folder(path: &str) -> Value {
    json!({
        ".tag": "folder",
        "name": path.rsplit('/').next().unwrap(),
        "id": format!("id:{}", path.len()),
        "path_lower": path.to_lowercase(),
        "path_display": path,
    })
}

impl Dropbox {
    fn upload(&self, call: &Call) -> Reply {
        assert_eq!(call.header("content-type"), "application/octet-stream");
        let argument = argument(call);
        for name in argument.as_object().unwrap().keys() {
            let known =
                ["path", "mode", "autorename", "mute", "strict_conflict", "client_modified", "content_hash"];
            assert!(known.contains(&name.as_str()), "an upload has no {name}");
        }
        assert_eq!(argument["autorename"], false, "another name would be none of ours");
        assert_eq!(argument["mode"], "overwrite");
        let path = path_of(&argument);
        self.files.lock().unwrap().insert(path.to_lowercase(), (path.clone(), call.body.clone()));
        json(200, &file(&path, &call.body, false))
    }

    fn download(&self, call: &Call) -> Reply {
        assert!(call.body.is_empty());
        let content_type = call.header("content-type");
        assert!(["", "text/plain", "application/octet-stream"].contains(&content_type), "{content_type}");
        let path = path_of(&argument(call));
        let found = self.files.lock().unwrap().get(&path.to_lowercase()).cloned();
        match found {
            Some((path, bytes)) => {
                let mut reply = reply(200, bytes.clone());
                let about = file(&path.replace(|c: char| !c.is_ascii(), "_"), &bytes, false).to_string();
                reply.headers_mut().insert("dropbox-api-result", about.parse().unwrap());
                reply
            }
            None if self.is_folder(&path) => error("path/not_file"),
            None => error("path/not_found"),
        }
    }

    fn metadata(&self, argument: &Value) -> Reply {
        let path = path_of(argument);
        assert_ne!(path, "", "the root has no metadata");
        if let Some((path, bytes)) = self.files.lock().unwrap().get(&path.to_lowercase()) {
            return json(200, &file(path, bytes, true));
        }
        if self.is_folder(&path) { json(200, &folder(&path)) } else { error("path/not_found") }
    }

    fn is_folder(&self, path: &str) -> bool {
        let prefix = format!("{}/", path.to_lowercase());
        self.files.lock().unwrap().keys().any(|path| path.starts_with(&prefix))
    }

    fn list(&self, argument: &Value) -> Reply {
        let path = path_of(argument);
        let limit = argument["limit"].as_u64().unwrap();
        assert!((1..=2000).contains(&limit));
        assert_eq!(argument["recursive"], false);
        if !path.is_empty() && !self.is_folder(&path) {
            return error("path/not_found");
        }
        self.page(&path, 0)
    }

    fn list_on(&self, argument: &Value) -> Reply {
        let (start, path) = argument["cursor"].as_str().unwrap().split_once(' ').unwrap();
        self.page(path, start.parse().unwrap())
    }

    fn page(&self, path: &str, start: usize) -> Reply {
        let prefix = format!("{}/", path.to_lowercase());
        let files = self.files.lock().unwrap();
        let mut entries: Vec<Value> = Vec::new();
        for (lower, (display, bytes)) in files.iter() {
            let Some(below) = lower.strip_prefix(&prefix) else { continue };
            let entry = match below.find('/') {
                Some(end) => folder(&display[..prefix.len() + end]),
                None => file(display, bytes, true),
            };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        entries.dedup();
        let end = entries.len().min(start + PAGE);
        json(
            200,
            &json!({
                "entries": entries[start..end],
                "cursor": format!("{end} {path}"),
                "has_more": end < entries.len(),
            }),
        )
    }

    fn delete(&self, argument: &Value) -> Reply {
        let path = path_of(argument);
        match self.files.lock().unwrap().remove(&path.to_lowercase()) {
            Some((path, bytes)) => json(200, &json!({ "metadata": file(&path, &bytes, true) })),
            None => error("path_lookup/not_found"),
        }
    }
}

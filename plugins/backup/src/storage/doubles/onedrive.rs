//! OneDrive, by the documents of Microsoft Graph 1.0.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::{
    server::{Call, Reply, Rules, json, percent_decoded, reply},
    tokens::Tokens,
};

const ROOT: &str = "/v1.0/me/drive/root";
const PAGE: usize = 3;
/// Parts of an upload are multiples of this, but for the last.
const PART: usize = 320 * 1024;
const SIMPLE_BYTES_MAX: usize = 250 * 1000 * 1000;

#[derive(Debug, Default)]
pub(crate) struct OneDrive {
    pub(crate) tokens: Tokens,
    files: Mutex<BTreeMap<String, Bytes>>,
    sessions: Mutex<HashMap<String, (String, BytesMut)>>,
}

impl Rules for OneDrive {
    fn answer(&self, call: &Call) -> Reply {
        match call.host.as_str() {
            "login.microsoftonline.com" => {
                assert_eq!(call.path, "/common/oauth2/v2.0/token");
                let app = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", "r3fresh/+="),
                    ("client_id", "app id"),
                    ("scope", "offline_access Files.ReadWrite"),
                ];
                return self.tokens.give(call, &app);
            }
            // Where contents and parts of uploads go: with the address alone for a permission.
            "content.example" => {
                assert_eq!(call.header("authorization"), "", "the token belongs to Graph alone");
                return self.content(call);
            }
            host => assert_eq!(host, "graph.microsoft.com"),
        }
        if !self.tokens.is_valid(call) {
            return graph_error(401, "InvalidAuthenticationToken");
        }
        let rest = call.path.strip_prefix(ROOT).expect("the user's own drive");
        let (path, what) = match rest.strip_prefix(':') {
            None => (String::new(), rest),
            Some(rest) => {
                // A colon of a name is escaped, so that one which is not ends the path.
                let (path, what) = rest.split_once(':').unwrap_or((rest, ""));
                assert!(!path.ends_with('/'), "no path ends in a slash: {path}");
                (percent_decoded(path), what)
            }
        };
        match (call.method.as_str(), what) {
            ("GET", "") => self.item(&path),
            ("GET", "/content") => self.download(&path),
            ("PUT", "/content") => self.upload(call, &path),
            ("POST", "/createUploadSession") => self.session(call, &path),
            ("GET", "/children") => self.children(call, &path),
            ("DELETE", "") => self.delete(&path),
            other => panic!("OneDrive has no {other:?} here"),
        }
    }
}

fn graph_error(status: u16, code: &str) -> Reply {
    json(status, &json!({ "error": { "code": code, "message": "said by the double" } }))
}

fn item(path: &str, bytes: Option<&Bytes>) -> Value {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let mut item = json!({
        "id": format!("0123456789abc!{}", path.len()),
        "name": name,
        "eTag": "aQzEyMzQ1Njc4OTBhYmMhMTA1LjA",
        "size": bytes.map_or(0, Bytes::len),
        "lastModifiedDateTime": "2026-11-21T19:36:47Z",
        "parentReference": { "driveId": "0123456789abc", "id": "0123456789abc!101", "path": format!("/drive/root:{folder}") },
    });
    match bytes {
        Some(_) => item["file"] = json!({ "mimeType": "application/octet-stream" }),
        None => item["folder"] = json!({ "childCount": 1 }),
    }
    item
}

impl OneDrive {
    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.files.lock().unwrap().keys().any(|key| key.starts_with(&format!("{path}/")))
    }

    fn item(&self, path: &str) -> Reply {
        if let Some(bytes) = self.files.lock().unwrap().get(path) {
            return json(200, &item(path, Some(bytes)));
        }
        if self.is_folder(path) { json(200, &item(path, None)) } else { graph_error(404, "itemNotFound") }
    }

    fn download(&self, path: &str) -> Reply {
        if !self.files.lock().unwrap().contains_key(path) {
            return graph_error(404, "itemNotFound");
        }
        let address: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let mut reply = reply(302, Bytes::new());
        let location = format!("https://content.example/y4m?tempauth=s3same&path={address}");
        reply.headers_mut().insert("location", location.parse().unwrap());
        reply
    }

    fn content(&self, call: &Call) -> Reply {
        if call.method == "GET" {
            assert_eq!(call.query["tempauth"], "s3same");
            return reply(200, self.files.lock().unwrap()[&call.query["path"]].clone());
        }
        assert_eq!(call.method, "PUT");
        let mut sessions = self.sessions.lock().unwrap();
        let Some((path, taken)) = sessions.get_mut(&call.path) else {
            return graph_error(404, "itemNotFound");
        };
        let range = call.header("content-range").strip_prefix("bytes ").unwrap();
        let (range, total) = range.split_once('/').unwrap();
        let (start, last) = range.split_once('-').unwrap();
        let (start, last): (usize, usize) = (start.parse().unwrap(), last.parse().unwrap());
        let total: usize = total.parse().unwrap();
        assert_eq!(start, taken.len(), "parts come in order");
        assert_eq!(last + 1 - start, call.body.len());
        taken.extend_from_slice(&call.body);
        if taken.len() < total {
            assert_eq!(call.body.len() % PART, 0, "a part is a multiple of 320 KiB");
            let next = json!({ "expirationDateTime": "2026-11-22T00:00:00Z", "nextExpectedRanges": [format!("{}-", taken.len())] });
            return json(202, &next);
        }
        let (path, whole) = (path.clone(), taken.split().freeze());
        sessions.remove(&call.path);
        let replaced = self.files.lock().unwrap().insert(path.clone(), whole.clone()).is_some();
        json(if replaced { 200 } else { 201 }, &item(&path, Some(&whole)))
    }

    fn upload(&self, call: &Call, path: &str) -> Reply {
        assert!(call.body.len() <= SIMPLE_BYTES_MAX);
        assert_eq!(call.query["@microsoft.graph.conflictBehavior"], "replace");
        let replaced = self.files.lock().unwrap().insert(path.to_owned(), call.body.clone()).is_some();
        json(if replaced { 200 } else { 201 }, &item(path, Some(&call.body)))
    }

    fn session(&self, call: &Call, path: &str) -> Reply {
        assert_eq!(call.header("content-type"), "application/json");
        let wanted = call.json();
        assert_eq!(wanted["item"]["@microsoft.graph.conflictBehavior"], "replace");
        let mut sessions = self.sessions.lock().unwrap();
        let place = format!("/up/{}", sessions.len());
        sessions.insert(place.clone(), (path.to_owned(), BytesMut::new()));
        let session = json!({ "uploadUrl": format!("https://content.example{place}"), "expirationDateTime": "2026-11-22T00:00:00Z" });
        json(200, &session)
    }

    fn children(&self, call: &Call, path: &str) -> Reply {
        if !self.is_folder(path) {
            return graph_error(404, "itemNotFound");
        }
        let prefix = format!("{path}/");
        let mut children: Vec<Value> = Vec::new();
        for (key, bytes) in self.files.lock().unwrap().iter() {
            let Some(below) = key.strip_prefix(&prefix) else { continue };
            let child = match below.find('/') {
                Some(end) => item(&key[..prefix.len() + end], None),
                None => item(key, Some(bytes)),
            };
            if !children.contains(&child) {
                children.push(child);
            }
        }
        let start: usize = call.query.get("$skiptoken").map_or(0, |token| token.parse().unwrap());
        let end = children.len().min(start + PAGE);
        let mut page = json!({ "value": children[start..end] });
        if end < children.len() {
            page["@odata.nextLink"] =
                json!(format!("https://graph.microsoft.com{}?$skiptoken={end}", call.path));
        }
        json(200, &page)
    }

    fn delete(&self, path: &str) -> Reply {
        match self.files.lock().unwrap().remove(path) {
            Some(_) => reply(204, Bytes::new()),
            None => graph_error(404, "itemNotFound"),
        }
    }
}

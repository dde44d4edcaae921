//! Google Drive, by the documents of its API, version 3.

use std::sync::Mutex;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    server::{Call, Reply, Rules, json, reply},
    tokens::Tokens,
};

const FOLDER: &str = "application/vnd.google-apps.folder";
const PAGE: usize = 3;
/// More needs a session.
const UPLOAD_BYTES_MAX: usize = 5_000_000;

#[derive(Debug, Default)]
pub(crate) struct GoogleDrive {
    pub(crate) tokens: Tokens,
    items: Mutex<Vec<Item>>,
    /// What the content of each session will be: a new file with this metadata, or that of a file.
    sessions: Mutex<Vec<(Result<Value, String>, usize)>>,
}

#[derive(Debug, Clone)]
struct Item {
    id: String,
    name: String,
    parent: String,
    /// None for a folder.
    content: Option<Bytes>,
    trashed: bool,
}

impl Rules for GoogleDrive {
    fn answer(&self, call: &Call) -> Reply {
        if call.host == "oauth2.googleapis.com" {
            assert_eq!(call.path, "/token");
            let app = [
                ("grant_type", "refresh_token"),
                ("refresh_token", "r3fresh/+="),
                ("client_id", "client id"),
                ("client_secret", "cl13nt&s3cret"),
            ];
            return self.tokens.give(call, &app);
        }
        assert_eq!(call.host, "www.googleapis.com");
        if !self.tokens.is_valid(call) {
            return error(401, "authError", "Invalid Credentials");
        }
        let id = call.path.rsplit('/').next().unwrap();
        let is_upload = call.path.starts_with("/upload/");
        if is_upload && call.query.get("uploadType").map(String::as_str) == Some("resumable") {
            return self.session(call, id);
        }
        assert!(!is_upload || call.body.len() <= UPLOAD_BYTES_MAX, "more than 5 MB need a session");
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/drive/v3/files") => self.list(call),
            ("POST", "/drive/v3/files") => self.create_folder(call),
            ("POST", "/upload/drive/v3/files") => self.upload(call),
            ("PATCH", path) if path.starts_with("/upload/drive/v3/files/") => self.update(call, id),
            ("GET", path) if path.starts_with("/drive/v3/files/") => self.get(call, id),
            ("PATCH", path) if path.starts_with("/drive/v3/files/") => self.trash(call, id),
            other => panic!("Google Drive has no {other:?} here"),
        }
    }
}

fn error(status: u16, reason: &str, message: &str) -> Reply {
    let errors = json!([{ "domain": "global", "reason": reason, "message": message }]);
    json(status, &json!({ "error": { "errors": errors, "code": status, "message": message } }))
}

impl Item {
    /// With the fields that were asked for; without a wish there are four.
    fn with(&self, fields: Option<&str>) -> Value {
        let mime = if self.content.is_some() { "application/octet-stream" } else { FOLDER };
        let mut all = Map::new();
        all.insert("kind".to_owned(), json!("drive#file"));
        all.insert("id".to_owned(), json!(self.id));
        all.insert("name".to_owned(), json!(self.name));
        all.insert("mimeType".to_owned(), json!(mime));
        all.insert("modifiedTime".to_owned(), json!("2026-11-21T19:36:47.042Z"));
        all.insert("parents".to_owned(), json!([self.parent]));
        if let Some(content) = &self.content {
            all.insert("size".to_owned(), json!(content.len().to_string()));
        }
        let fields: Vec<&str> = fields.unwrap_or("kind,id,name,mimeType").split(',').collect();
        all.retain(|name, _| fields.contains(&name.as_str()));
        Value::Object(all)
    }
}

/// The parts of a search, which are all joined by `and`.
fn terms(q: &str) -> Vec<String> {
    let (mut terms, mut term, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in q.chars() {
        match c {
            '\\' if quoted && !escaped => {
                escaped = true;
                continue;
            }
            '\'' if !escaped => quoted = !quoted,
            _ => {}
        }
        // A quote inside of a text is told from those around it.
        term.push(if escaped && c == '\'' { '\u{1}' } else { c });
        escaped = false;
        if !quoted && term.ends_with(" and ") {
            terms.push(term.trim_end_matches(" and ").to_owned());
            term.clear();
        }
    }
    assert!(!quoted, "a text of the search does not end: {q}");
    terms.push(term);
    terms
}

fn text(quoted: &str) -> String {
    quoted.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap().replace('\u{1}', "'")
}

impl GoogleDrive {
    fn list(&self, call: &Call) -> Reply {
        let terms = terms(&call.query["q"]);
        let page: usize = call.query["pageSize"].parse().unwrap();
        assert!((1..=1000).contains(&page));
        let items = self.items.lock().unwrap();
        let found = items.iter().rev().filter(|item| {
            terms.iter().all(|term| {
                if let Some(name) = term.strip_prefix("name = ") {
                    item.name == text(name)
                } else if let Some(parent) = term.strip_suffix(" in parents") {
                    item.parent == text(parent)
                } else if let Some(mime) = term.strip_prefix("mimeType = ") {
                    item.content.is_none() == (text(mime) == FOLDER)
                } else {
                    assert_eq!(term, "trashed = false");
                    !item.trashed
                }
            })
        });
        let found: Vec<&Item> = found.collect();
        let start: usize = call.query.get("pageToken").map_or(0, |token| token.parse().unwrap());
        let end = found.len().min(start + page.min(PAGE));
        let fields = call.query.get("fields").map(|fields| {
            let inner = fields.split_once("files(").unwrap().1;
            assert!(fields.contains("nextPageToken"), "the next page has to be asked for");
            inner.trim_end_matches(')').to_owned()
        });
        let files: Vec<Value> = found[start..end].iter().map(|item| item.with(fields.as_deref())).collect();
        let mut answer = json!({ "files": files });
        if end < found.len() {
            answer["nextPageToken"] = json!(end.to_string());
        }
        json(200, &answer)
    }

    fn add(&self, metadata: &Value, content: Option<Bytes>) -> Item {
        let mut items = self.items.lock().unwrap();
        let parents = metadata["parents"].as_array().unwrap();
        assert_eq!(parents.len(), 1);
        let item = Item {
            id: format!("1{:032}", items.len()),
            name: metadata["name"].as_str().unwrap().to_owned(),
            parent: parents[0].as_str().unwrap().to_owned(),
            content,
            trashed: false,
        };
        assert!(item.parent == "root" || items.iter().any(|parent| parent.id == item.parent));
        items.push(item.clone());
        item
    }

    fn create_folder(&self, call: &Call) -> Reply {
        assert_eq!(call.header("content-type"), "application/json");
        let metadata = call.json();
        assert_eq!(metadata["mimeType"], FOLDER);
        json(200, &self.add(&metadata, None).with(call.query.get("fields").map(String::as_str)))
    }

    fn upload(&self, call: &Call) -> Reply {
        assert_eq!(call.query["uploadType"], "multipart");
        let boundary =
            call.header("content-type").strip_prefix("multipart/related; boundary=").expect("related parts");
        let body = &call.body[..];
        let mut parts = Vec::new();
        let mark = format!("--{boundary}");
        let mut starts = find_all(body, mark.as_bytes());
        let last = starts.pop().unwrap();
        assert!(body[last..].starts_with(format!("{mark}--").as_bytes()));
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(last);
            let part = &body[start + mark.len() + 2..end - 2];
            let head = find_all(part, b"\r\n\r\n")[0];
            parts.push((
                String::from_utf8_lossy(&part[..head]).to_lowercase(),
                head + 4 + start + mark.len() + 2,
                end - 2,
            ));
        }
        let [metadata, media] = &parts[..] else { panic!("two parts, not {}", parts.len()) };
        assert!(metadata.0.contains("application/json; charset=utf-8"), "{}", metadata.0);
        let about: Value = serde_json::from_slice(&body[metadata.1..metadata.2]).unwrap();
        let item = self.add(&about, Some(call.body.slice(media.1..media.2)));
        json(200, &item.with(call.query.get("fields").map(String::as_str)))
    }

    fn session(&self, call: &Call, id: &str) -> Reply {
        let mut sessions = self.sessions.lock().unwrap();
        if let Some(session) = call.query.get("upload_id") {
            assert_eq!(call.method, "PUT");
            let (target, length) = sessions[session.parse::<usize>().unwrap()].clone();
            assert_eq!(call.body.len(), length, "as much as was announced");
            return match target {
                Ok(metadata) => json(200, &self.add(&metadata, Some(call.body.clone())).with(None)),
                Err(id) => self.update(call, &id),
            };
        }
        let target = match call.method.as_str() {
            "POST" => {
                assert_eq!(call.header("content-type"), "application/json; charset=UTF-8");
                Ok(call.json())
            }
            "PATCH" => Err(id.to_owned()),
            method => panic!("no session by {method}"),
        };
        sessions.push((target, call.header("x-upload-content-length").parse().unwrap()));
        let mut reply = reply(200, Bytes::new());
        let place = format!(
            "https://www.googleapis.com/upload/drive/v3/files?uploadType=resumable&upload_id={}",
            sessions.len() - 1
        );
        reply.headers_mut().insert("location", place.parse().unwrap());
        reply
    }

    fn update(&self, call: &Call, id: &str) -> Reply {
        assert!(["media", "resumable"].contains(&call.query["uploadType"].as_str()));
        let mut items = self.items.lock().unwrap();
        let Some(item) = items.iter_mut().find(|item| item.id == id) else { return not_found(id) };
        item.content = Some(call.body.clone());
        json(200, &item.with(None))
    }

    fn get(&self, call: &Call, id: &str) -> Reply {
        let items = self.items.lock().unwrap();
        let root = Item {
            id: "root".to_owned(),
            name: "My Drive".to_owned(),
            parent: String::new(),
            content: None,
            trashed: false,
        };
        let Some(item) = items.iter().chain([&root]).find(|item| item.id == id) else { return not_found(id) };
        if !call.query.contains_key("alt") {
            return json(200, &item.with(call.query.get("fields").map(String::as_str)));
        }
        match &item.content {
            Some(content) => reply(200, content.clone()),
            None => error(403, "fileNotDownloadable", "Only files with binary content can be downloaded."),
        }
    }

    fn trash(&self, call: &Call, id: &str) -> Reply {
        assert_eq!(call.json(), json!({ "trashed": true }));
        let mut items = self.items.lock().unwrap();
        let Some(item) = items.iter_mut().find(|item| item.id == id) else { return not_found(id) };
        item.trashed = true;
        json(200, &item.with(None))
    }
}

fn not_found(id: &str) -> Reply {
    error(404, "notFound", &format!("File not found: {id}."))
}

fn find_all(text: &[u8], wanted: &[u8]) -> Vec<usize> {
    text.windows(wanted.len()).enumerate().filter(|(_, part)| *part == wanted).map(|(at, _)| at).collect()
}

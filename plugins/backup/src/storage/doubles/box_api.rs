//! Box, by the documents of its Content API, version 2.0.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{
    server::{Call, Reply, Rules, json, reply},
    tokens::Tokens,
};

const PAGE: usize = 3;
/// More goes in parts.
const WHOLE_BYTES_MAX: usize = 50_000_000;
const SESSION_BYTES_MIN: usize = 20_000_000;
const PART_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct BoxApi {
    pub(crate) tokens: Tokens,
    items: Mutex<BTreeMap<String, Item>>,
    next: AtomicU32,
    sessions: Mutex<HashMap<String, Session>>,
}

#[derive(Debug, Clone)]
struct Item {
    name: String,
    parent: String,
    /// None for a folder.
    content: Option<Bytes>,
}

#[derive(Debug)]
struct Session {
    /// The file that gets a new version.
    file: Option<String>,
    parent: String,
    name: String,
    size: usize,
    parts: BTreeMap<usize, Bytes>,
}

impl Rules for BoxApi {
    fn answer(&self, call: &Call) -> Reply {
        if call.path == "/oauth2/token" {
            assert_eq!(call.host, "api.box.com");
            let app = [
                ("grant_type", "client_credentials"),
                ("client_id", "client id"),
                ("client_secret", "cl13nt&s3cret"),
                ("box_subject_type", "enterprise"),
                ("box_subject_id", "4711"),
            ];
            return self.tokens.give(call, &app);
        }
        if call.host == "dl.boxcloud.example" {
            assert_eq!(call.header("authorization"), "", "the token belongs to the API alone");
            return reply(200, self.items.lock().unwrap()[&call.query["file"]].content.clone().unwrap());
        }
        if !self.tokens.is_valid(call) {
            return reply(401, Bytes::new());
        }
        let path = match call.host.as_str() {
            "api.box.com" => call.path.strip_prefix("/2.0/").unwrap(),
            "upload.box.com" => call.path.strip_prefix("/api/2.0/").unwrap(),
            host => panic!("Box has no {host}"),
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (call.host.as_str(), call.method.as_str(), &parts[..]) {
            ("api.box.com", "GET", ["folders", id, "items"]) => self.list(call, id),
            ("api.box.com", "POST", ["folders"]) => self.create_folder(call),
            ("api.box.com", "OPTIONS", ["files", "content"]) => self.preflight(call),
            ("api.box.com", "GET", ["files", id]) => self.about(call, id),
            ("api.box.com", "GET", ["files", id, "content"]) => self.download(id),
            ("api.box.com", "DELETE", ["files", id]) => match self.items.lock().unwrap().remove(*id) {
                Some(_) => reply(204, Bytes::new()),
                None => not_found(),
            },
            ("upload.box.com", "POST", ["files", "content"]) => self.upload(call, None),
            ("upload.box.com", "POST", ["files", id, "content"]) => self.upload(call, Some(id)),
            ("upload.box.com", "POST", ["files", "upload_sessions"]) => self.session(call, None),
            ("upload.box.com", "POST", ["files", "upload_sessions", id, "commit"]) => self.commit(call, id),
            ("upload.box.com", "PUT", ["files", "upload_sessions", id]) => self.part(call, id),
            ("upload.box.com", "DELETE", ["files", "upload_sessions", id]) => {
                self.sessions.lock().unwrap().remove(*id);
                reply(204, Bytes::new())
            }
            ("upload.box.com", "POST", ["files", id, "upload_sessions"]) => self.session(call, Some(id)),
            other => panic!("Box has no {other:?}"),
        }
    }
}

fn error(status: u16, code: &str) -> Reply {
    json(status, &json!({ "type": "error", "status": status, "code": code, "message": "said by the double" }))
}

fn not_found() -> Reply {
    error(404, "not_found")
}

fn sha1(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha1::digest(bytes))
}

impl Item {
    fn mini(&self, id: &str) -> Value {
        let mut item = json!({ "id": id, "etag": "0", "sequence_id": "0", "name": self.name });
        match &self.content {
            Some(content) => {
                item["type"] = json!("file");
                item["sha1"] = json!(sha1(content));
            }
            None => item["type"] = json!("folder"),
        }
        item
    }

    fn with(&self, id: &str, fields: &str) -> Value {
        let mut item = self.mini(id);
        item["size"] = json!(self.content.as_ref().map_or(0, Bytes::len));
        item["modified_at"] = json!("2026-11-21T11:36:47-08:00");
        let fields: Vec<&str> = fields.split(',').collect();
        item.as_object_mut()
            .unwrap()
            .retain(|name, _| matches!(name.as_str(), "id" | "type") || fields.contains(&name.as_str()));
        item
    }
}

fn conflict(id: &str, item: &Item) -> Reply {
    // A folder's conflict is a list, a file's is not.
    let mini = item.mini(id);
    let conflicts = if item.content.is_some() { mini } else { json!([mini]) };
    let body = json!({
        "type": "error", "status": 409, "code": "item_name_in_use",
        "context_info": { "conflicts": conflicts },
        "message": "Item with the same name already exists",
    });
    json(409, &body)
}

impl BoxApi {
    fn find(&self, parent: &str, name: &str) -> Option<(String, Item)> {
        let items = self.items.lock().unwrap();
        let found =
            items.iter().find(|(_, item)| item.parent == parent && item.name.eq_ignore_ascii_case(name));
        found.map(|(id, item)| (id.clone(), item.clone()))
    }

    fn has_folder(&self, id: &str) -> bool {
        id == "77" || self.items.lock().unwrap().get(id).is_some_and(|item| item.content.is_none())
    }

    fn add(&self, parent: &str, name: &str, content: Option<Bytes>) -> Reply {
        assert!(!name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\']));
        if !self.has_folder(parent) {
            return not_found();
        }
        if let Some((id, item)) = self.find(parent, name) {
            return conflict(&id, &item);
        }
        let item = Item { name: name.to_owned(), parent: parent.to_owned(), content };
        let mut items = self.items.lock().unwrap();
        let id = (1000 + self.next.fetch_add(1, Ordering::Relaxed)).to_string();
        items.insert(id.clone(), item.clone());
        match item.content {
            None => json(201, &item.mini(&id)),
            Some(_) => json(201, &json!({ "total_count": 1, "entries": [item.mini(&id)] })),
        }
    }

    fn replace(&self, id: &str, content: Bytes) -> Reply {
        let mut items = self.items.lock().unwrap();
        let Some(item) = items.get_mut(id) else { return not_found() };
        item.content = Some(content);
        json(201, &json!({ "total_count": 1, "entries": [item.mini(id)] }))
    }

    fn list(&self, call: &Call, folder: &str) -> Reply {
        if !self.has_folder(folder) {
            return not_found();
        }
        assert_eq!(call.query["usemarker"], "true");
        let limit: usize = call.query["limit"].parse().unwrap();
        assert!((1..=1000).contains(&limit));
        let items = self.items.lock().unwrap();
        let found: Vec<Value> = items
            .iter()
            .filter(|(_, item)| item.parent == folder)
            .map(|(id, item)| item.with(id, &call.query["fields"]))
            .collect();
        let start: usize = call.query.get("marker").map_or(0, |marker| marker.parse().unwrap());
        let end = found.len().min(start + PAGE);
        let next = if end < found.len() { json!(end.to_string()) } else { json!("") };
        json(200, &json!({ "entries": found[start..end], "limit": limit, "next_marker": next }))
    }

    fn create_folder(&self, call: &Call) -> Reply {
        assert_eq!(call.header("content-type"), "application/json");
        let wanted = call.json();
        self.add(wanted["parent"]["id"].as_str().unwrap(), wanted["name"].as_str().unwrap(), None)
    }

    fn preflight(&self, call: &Call) -> Reply {
        assert_eq!(call.header("content-type"), "application/json");
        let wanted = call.json();
        let (parent, name) = (wanted["parent"]["id"].as_str().unwrap(), wanted["name"].as_str().unwrap());
        if !self.has_folder(parent) {
            return not_found();
        }
        match self.find(parent, name) {
            Some((id, item)) => conflict(&id, &item),
            None => json(200, &json!({ "upload_token": "t", "upload_url": "https://upload.box.com/x" })),
        }
    }

    fn about(&self, call: &Call, id: &str) -> Reply {
        match self.items.lock().unwrap().get(id) {
            Some(item) => json(200, &item.with(id, &call.query["fields"])),
            None => not_found(),
        }
    }

    fn download(&self, id: &str) -> Reply {
        if !self.items.lock().unwrap().contains_key(id) {
            return not_found();
        }
        let mut reply = reply(302, Bytes::new());
        let place = format!("https://dl.boxcloud.example/d/1/x/download?file={id}");
        reply.headers_mut().insert("location", place.parse().unwrap());
        reply
    }

    fn upload(&self, call: &Call, existing: Option<&str>) -> Reply {
        assert!(call.body.len() <= WHOLE_BYTES_MAX + 2000, "more than 50 MB go in parts");
        let boundary = call.header("content-type").strip_prefix("multipart/form-data; boundary=").unwrap();
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"attributes\"\r\n");
        assert!(call.body.starts_with(head.as_bytes()), "the attributes come first");
        let end = format!("\r\n--{boundary}--\r\n");
        assert!(call.body.ends_with(end.as_bytes()));
        let blank = |from: usize| {
            from + call.body[from..].windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4
        };
        let attributes_start = blank(0);
        let separator = format!("\r\n--{boundary}");
        let attributes_end = attributes_start
            + call.body[attributes_start..]
                .windows(separator.len())
                .position(|part| part == separator.as_bytes())
                .unwrap();
        let attributes: Value = serde_json::from_slice(&call.body[attributes_start..attributes_end]).unwrap();
        let file_start = blank(attributes_end);
        let file_head = String::from_utf8_lossy(&call.body[attributes_end..file_start]).into_owned();
        assert!(file_head.contains("name=\"file\"; filename="), "{file_head}");
        let content = call.body.slice(file_start..call.body.len() - end.len());
        let expected: String = Sha1::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        if call.header("content-md5") != expected {
            return error(400, "bad_digest");
        }
        match existing {
            Some(id) => self.replace(id, content),
            None => self.add(
                attributes["parent"]["id"].as_str().unwrap(),
                attributes["name"].as_str().unwrap(),
                Some(content),
            ),
        }
    }

    fn session(&self, call: &Call, existing: Option<&str>) -> Reply {
        let wanted = call.json();
        let size = usize::try_from(wanted["file_size"].as_u64().unwrap()).unwrap();
        if size < SESSION_BYTES_MIN {
            return error(400, "file_size_too_small");
        }
        let name = wanted["file_name"].as_str().unwrap().to_owned();
        let parent = wanted["folder_id"].as_str().unwrap_or_default().to_owned();
        if existing.is_none()
            && let Some((id, item)) = self.find(&parent, &name)
        {
            return conflict(&id, &item);
        }
        let mut sessions = self.sessions.lock().unwrap();
        let id = format!("F971964745A5CD0C001BBE4E58196BF{}", sessions.len());
        let file = existing.map(str::to_owned);
        sessions.insert(id.clone(), Session { file, parent, name, size, parts: BTreeMap::new() });
        json(
            201,
            &json!({ "id": id, "type": "upload_session", "part_size": PART_BYTES, "total_parts": size.div_ceil(PART_BYTES) }),
        )
    }

    fn part(&self, call: &Call, id: &str) -> Reply {
        assert_eq!(call.header("content-type"), "application/octet-stream");
        let mut sessions = self.sessions.lock().unwrap();
        let Some(session) = sessions.get_mut(id) else { return not_found() };
        if call.header("digest") != format!("sha={}", sha1(&call.body)) {
            return error(412, "sha1_mismatch");
        }
        let (range, total) =
            call.header("content-range").strip_prefix("bytes ").unwrap().split_once('/').unwrap();
        let (start, last) = range.split_once('-').unwrap();
        let (start, last): (usize, usize) = (start.parse().unwrap(), last.parse().unwrap());
        assert_eq!(total.parse::<usize>().unwrap(), session.size);
        assert_eq!(start % PART_BYTES, 0, "parts begin where the session says");
        assert_eq!(last + 1 - start, call.body.len());
        assert!(call.body.len() == PART_BYTES || last + 1 == session.size);
        session.parts.insert(start, call.body.clone());
        let part = json!({ "part_id": format!("{start:08X}"), "offset": start, "size": call.body.len(), "sha1": "x" });
        json(200, &json!({ "part": part }))
    }

    fn commit(&self, call: &Call, id: &str) -> Reply {
        let Some(session) = self.sessions.lock().unwrap().remove(id) else { return not_found() };
        let listed: Vec<u64> = call.json()["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["offset"].as_u64().unwrap())
            .collect();
        assert_eq!(listed, session.parts.keys().map(|start| *start as u64).collect::<Vec<_>>());
        let whole = Bytes::from(session.parts.values().map(Bytes::as_ref).collect::<Vec<_>>().concat());
        assert_eq!(whole.len(), session.size);
        if call.header("digest") != format!("sha={}", sha1(&whole)) {
            return error(412, "sha1_mismatch");
        }
        match session.file {
            Some(id) => self.replace(&id, whole),
            None => self.add(&session.parent, &session.name, Some(whole)),
        }
    }
}

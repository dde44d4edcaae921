//! Google Cloud Storage, by the documents of its JSON API.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::server::{Call, Reply, Rules, json, percent_decoded, reply};

/// A service account that was made for these tests and is known nowhere.
pub(crate) const SERVICE_ACCOUNT: &str = include_str!("service_account.json");

const PAGE: usize = 3;
/// Parts of an upload are multiples of this, but for the last.
const PART: usize = 256 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Gcs {
    objects: Mutex<BTreeMap<String, Bytes>>,
    sessions: Mutex<HashMap<String, Session>>,
}

#[derive(Debug)]
struct Session {
    name: String,
    is_new: bool,
    taken: BytesMut,
}

impl Rules for Gcs {
    fn answer(&self, call: &Call) -> Reply {
        if call.host == "oauth2.googleapis.com" {
            return token(call);
        }
        assert_eq!(call.host, "storage.googleapis.com");
        if call.path == "/upload/session" {
            return self.part(call);
        }
        if call.header("authorization") != "Bearer token-of-the-account" {
            return error(401, "authError", "Invalid Credentials");
        }
        if let Some(bucket) = call.path.strip_prefix("/upload/storage/v1/b/") {
            assert_eq!((call.method.as_str(), bucket), ("POST", "backups/o"));
            return self.upload(call);
        }
        let rest = call.path.strip_prefix("/storage/v1/b/").expect("the JSON API");
        let (bucket, rest) = rest.split_once("/o").unwrap();
        if bucket != "backups" {
            return error(404, "notFound", "The specified bucket does not exist.");
        }
        match (call.method.as_str(), rest.strip_prefix('/')) {
            ("GET", None) => self.list(call),
            (method, Some(name)) => {
                assert!(!name.contains('/'), "slashes of a name are escaped: {name}");
                let name = percent_decoded(name);
                match method {
                    "GET" => self.get(call, &name),
                    "DELETE" => match self.objects.lock().unwrap().remove(&name) {
                        Some(_) => reply(204, Bytes::new()),
                        None => no_object(&name),
                    },
                    _ => panic!("no {method} of an object"),
                }
            }
            other => panic!("Google Cloud Storage has no {other:?} here"),
        }
    }
}

fn error(status: u16, reason: &str, message: &str) -> Reply {
    let errors = json!([{ "domain": "global", "reason": reason, "message": message }]);
    json(status, &json!({ "error": { "code": status, "message": message, "errors": errors } }))
}

fn no_object(name: &str) -> Reply {
    error(404, "notFound", &format!("No such object: backups/{name}"))
}

/// A token for a claim that is signed by the account.
fn token(call: &Call) -> Reply {
    assert_eq!(call.path, "/token");
    let form = call.form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<&str> = form["assertion"].split('.').collect();
    let part = |index: usize| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[index]).unwrap()).unwrap()
    };
    assert_eq!(part(0)["alg"], "RS256");
    let claims = part(1);
    assert_eq!(claims["iss"], "postroom@backups.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/devstorage.read_write");
    let (issued, ends) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert!(issued < ends && ends - issued <= 3600, "an hour at most");
    let signed = format!("{}.{}", parts[0], parts[1]);
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key());
    public.verify(signed.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
    json(200, &json!({ "access_token": "token-of-the-account", "expires_in": 3599, "token_type": "Bearer" }))
}

/// The account's, as Google knows it.
fn public_key() -> Vec<u8> {
    let account: Value = serde_json::from_str(SERVICE_ACCOUNT).unwrap();
    let pem = account["private_key"].as_str().unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(base64).unwrap()).unwrap();
    key.public().as_ref().to_vec()
}

fn object(name: &str, bytes: &Bytes) -> Value {
    json!({
        "kind": "storage#object",
        "name": name,
        "bucket": "backups",
        "size": bytes.len().to_string(),
        "generation": "1795289807042001",
        "etag": "CJHx",
        "updated": "2026-11-21T19:36:47.042Z",
        "timeCreated": "2026-11-21T19:36:47.042Z",
        "contentType": "application/octet-stream",
    })
}

impl Gcs {
    fn upload(&self, call: &Call) -> Reply {
        let name = call.query["name"].clone();
        let is_new = match call.query.get("ifGenerationMatch").map(String::as_str) {
            Some("0") => true,
            None => false,
            other => panic!("no such generation: {other:?}"),
        };
        match call.query["uploadType"].as_str() {
            "media" => self.keep(&name, is_new, call.body.clone()),
            "resumable" => {
                // The condition is looked at when the session begins, and when it ends.
                if is_new && self.objects.lock().unwrap().contains_key(&name) {
                    return precondition();
                }
                let mut sessions = self.sessions.lock().unwrap();
                let id = sessions.len().to_string();
                sessions.insert(id.clone(), Session { name, is_new, taken: BytesMut::new() });
                let mut reply = reply(200, Bytes::new());
                let place = format!("https://storage.googleapis.com/upload/session?upload_id={id}");
                reply.headers_mut().insert("location", place.parse().unwrap());
                reply
            }
            other => panic!("no upload {other}"),
        }
    }

    fn keep(&self, name: &str, is_new: bool, bytes: Bytes) -> Reply {
        let mut objects = self.objects.lock().unwrap();
        if is_new && objects.contains_key(name) {
            return precondition();
        }
        let about = object(name, &bytes);
        objects.insert(name.to_owned(), bytes);
        json(200, &about)
    }

    fn part(&self, call: &Call) -> Reply {
        assert_eq!(call.method, "PUT");
        let id = &call.query["upload_id"];
        let mut sessions = self.sessions.lock().unwrap();
        let session = sessions.get_mut(id).expect("a session that was begun");
        let (range, total) =
            call.header("content-range").strip_prefix("bytes ").unwrap().split_once('/').unwrap();
        let (start, last) = range.split_once('-').unwrap();
        let (start, last): (usize, usize) = (start.parse().unwrap(), last.parse().unwrap());
        assert_eq!(start, session.taken.len());
        assert_eq!(last + 1 - start, call.body.len());
        session.taken.extend_from_slice(&call.body);
        if total == "*" {
            assert_eq!(call.body.len() % PART, 0, "a part is a multiple of 256 KiB");
            let mut reply = reply(308, Bytes::new());
            reply.headers_mut().insert("range", format!("bytes=0-{last}").parse().unwrap());
            return reply;
        }
        assert_eq!(total.parse::<usize>().unwrap(), session.taken.len());
        let (name, is_new, whole) = (session.name.clone(), session.is_new, session.taken.split().freeze());
        self.keep(&name, is_new, whole)
    }

    fn get(&self, call: &Call, name: &str) -> Reply {
        match (self.objects.lock().unwrap().get(name), call.query.get("alt").map(String::as_str)) {
            (Some(bytes), Some("media")) => reply(200, bytes.clone()),
            (Some(bytes), None) => json(200, &object(name, bytes)),
            (None, _) => no_object(name),
            (_, other) => panic!("no alt={other:?}"),
        }
    }

    fn list(&self, call: &Call) -> Reply {
        let prefix = call.query.get("prefix").cloned().unwrap_or_default();
        assert_eq!(call.query.get("delimiter").map_or("", String::as_str), "/");
        // Objects and prefixes come in one order and are counted together.
        let mut found: Vec<(String, Option<Value>)> = Vec::new();
        for (name, bytes) in self.objects.lock().unwrap().iter() {
            let Some(below) = name.strip_prefix(&prefix) else { continue };
            match below.find('/') {
                Some(end) => found.push((name[..=prefix.len() + end].to_owned(), None)),
                None => found.push((name.clone(), Some(object(name, bytes)))),
            }
        }
        found.dedup();
        let start: usize = call.query.get("pageToken").map_or(0, |token| token.parse().unwrap());
        let end = found.len().min(start + PAGE);
        let (mut items, mut prefixes) = (Vec::new(), Vec::new());
        for (name, object) in &found[start..end] {
            match object {
                Some(object) => items.push(object.clone()),
                None => prefixes.push(json!(name)),
            }
        }
        let mut page = json!({ "kind": "storage#objects", "items": items, "prefixes": prefixes });
        if end < found.len() {
            page["nextPageToken"] = json!(end.to_string());
        }
        json(200, &page)
    }
}

fn precondition() -> Reply {
    error(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
}

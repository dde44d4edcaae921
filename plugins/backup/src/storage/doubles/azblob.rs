//! Azure Blob Storage, by the documents of its REST API.

use std::{collections::BTreeMap, sync::Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::server::{Call, Reply, Rules, percent_decoded, reply};

const PAGE: usize = 3;

#[derive(Debug, Default)]
pub(crate) struct AzureBlob {
    blobs: Mutex<BTreeMap<String, Bytes>>,
}

impl Rules for AzureBlob {
    fn answer(&self, call: &Call) -> Reply {
        assert_eq!(call.host, "account.blob.core.windows.net");
        assert!(call.header("x-ms-version") >= "2019-12-12", "a version that is known");
        if let Some(refusal) = check_signature(call) {
            return refusal;
        }
        let rest = call.path.strip_prefix('/').unwrap();
        let (container, name) = rest.split_once('/').unwrap_or((rest, ""));
        if container != "backups" {
            return error(404, "ContainerNotFound");
        }
        let name = percent_decoded(name);
        match call.method.as_str() {
            "GET" if name.is_empty() => self.list(call),
            "PUT" => self.put(call, name),
            "GET" | "HEAD" => match self.blobs.lock().unwrap().get(&name) {
                Some(bytes) => {
                    let shown = if call.method == "HEAD" { Bytes::new() } else { bytes.clone() };
                    let mut reply = reply(200, shown);
                    let headers = reply.headers_mut();
                    headers.insert("content-length", bytes.len().into());
                    headers.insert("last-modified", "Sat, 21 Nov 2026 19:36:47 GMT".parse().unwrap());
                    headers.insert("etag", "\"0x8D\"".parse().unwrap());
                    headers.insert("x-ms-blob-type", "BlockBlob".parse().unwrap());
                    reply
                }
                None if call.method == "HEAD" => {
                    let mut reply = error(404, "BlobNotFound");
                    *reply.body_mut() = Bytes::new();
                    reply
                }
                None => error(404, "BlobNotFound"),
            },
            "DELETE" => match self.blobs.lock().unwrap().remove(&name) {
                Some(_) => reply(202, Bytes::new()),
                None => error(404, "BlobNotFound"),
            },
            method => panic!("Azure has no {method} here"),
        }
    }
}

fn error(status: u16, code: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said by the double</Message></Error>"
    );
    let mut reply = reply(status, body);
    reply.headers_mut().insert("x-ms-error-code", code.parse().unwrap());
    reply
}

/// Signs the request again, as "Authorize with Shared Key" describes it; or takes a shared access signature.
fn check_signature(call: &Call) -> Option<Reply> {
    if let Some(signature) = call.query.get("sig") {
        assert_eq!(call.header("authorization"), "");
        return (signature != "s1gn/ture+=").then(|| error(403, "AuthenticationFailed"));
    }
    let mut text = vec![call.method.to_string()];
    for name in [
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ] {
        let value = call.header(name);
        let empty = (name == "content-length" && value == "0")
            || (name == "date" && !call.header("x-ms-date").is_empty());
        text.push(if empty { String::new() } else { value.to_owned() });
    }
    let mut own: Vec<String> = call
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
        .map(|(name, value)| format!("{name}:{}", value.to_str().unwrap()))
        .collect();
    own.sort();
    text.extend(own);
    text.push(format!("/account{}", call.path));
    text.extend(call.query.iter().map(|(name, value)| format!("{}:{value}", name.to_lowercase())));
    let key = BASE64_STANDARD.decode("c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA==").unwrap();
    let signature = BASE64_STANDARD.encode(hmac(&key, text.join("\n").as_bytes()));
    let is_right = call.header("authorization") == format!("SharedKey account:{signature}");
    (!is_right).then(|| error(403, "AuthenticationFailed"))
}

/// RFC 2104, for keys up to the size of a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl AzureBlob {
    fn put(&self, call: &Call, name: String) -> Reply {
        assert_eq!(call.header("x-ms-blob-type"), "BlockBlob");
        let mut blobs = self.blobs.lock().unwrap();
        match call.header("if-none-match") {
            "" => {}
            "*" if blobs.contains_key(&name) => return error(409, "BlobAlreadyExists"),
            other => assert_eq!(other, "*"),
        }
        blobs.insert(name, call.body.clone());
        let mut reply = reply(201, Bytes::new());
        reply.headers_mut().insert("etag", "\"0x8D\"".parse().unwrap());
        reply
    }

    fn list(&self, call: &Call) -> Reply {
        assert_eq!((call.query["restype"].as_str(), call.query["comp"].as_str()), ("container", "list"));
        assert_eq!(call.query["delimiter"], "/");
        let prefix = call.query.get("prefix").cloned().unwrap_or_default();
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, bytes) in self.blobs.lock().unwrap().iter() {
            let Some(below) = name.strip_prefix(&prefix) else { continue };
            found.push(match below.find('/') {
                Some(end) => {
                    let folder = &name[..=prefix.len() + end];
                    (folder.to_owned(), format!("<BlobPrefix><Name>{}</Name></BlobPrefix>", escaped(folder)))
                }
                None => (
                    name.clone(),
                    format!(
                        "<Blob><Name>{}</Name><Properties><Last-Modified>Sat, 21 Nov 2026 19:36:47 GMT</Last-Modified>\
                         <Etag>0x8D</Etag><Content-Length>{}</Content-Length>\
                         <Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>\
                         </Properties></Blob>",
                        escaped(name),
                        bytes.len()
                    ),
                ),
            });
        }
        found.dedup();
        let start: usize = call.query.get("marker").map_or(0, |marker| marker.parse().unwrap());
        let end = found.len().min(start + PAGE);
        let entries: String = found[start..end].iter().map(|(_, entry)| entry.as_str()).collect();
        let next = if end < found.len() { end.to_string() } else { String::new() };
        reply(
            200,
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"backups\">\
                 <Blobs>{entries}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
            ),
        )
    }
}

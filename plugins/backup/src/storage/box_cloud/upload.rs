//! Uploads: in one request, or in parts when they are large.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use uuid::Uuid;

use super::{Inner, UPLOAD};
use crate::storage::StorageError;

/// Most bytes that Box takes in one request.
const WHOLE_BYTES_MAX: usize = 50_000_000;

#[derive(Deserialize)]
struct Session {
    id: String,
    part_size: usize,
}

/// An upload that came too late: something has the name, with this number.
type Conflict = String;

impl Inner {
    /// Uploads a file, or a new version of `existing`.
    pub(super) async fn upload(
        &self,
        folder: &str,
        name: &str,
        existing: Option<&str>,
        bytes: &Bytes,
    ) -> Result<Result<(), Conflict>, StorageError> {
        if bytes.len() > WHOLE_BYTES_MAX {
            return self.upload_in_parts(folder, name, existing, bytes).await;
        }
        let boundary = Uuid::now_v7().simple().to_string();
        let attributes = match existing {
            Some(_) => json!({ "name": name }),
            None => json!({ "name": name, "parent": { "id": folder } }),
        };
        let url = match existing {
            Some(id) => format!("{UPLOAD}/files/{id}/content"),
            None => format!("{UPLOAD}/files/content"),
        };
        let request = Request::post(url)
            .header(header::AUTHORIZATION, "Bearer")
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            // Box refuses what arrives with another SHA-1; the header's name misleads.
            .header("content-md5", hex(&Sha1::digest(bytes)))
            .body(form(&boundary, &attributes, bytes));
        let request = request.map_err(|_| self.http.strange("an upload's address is none"))?;
        self.settled(self.http.send(request).await?)
    }

    async fn upload_in_parts(
        &self,
        folder: &str,
        name: &str,
        existing: Option<&str>,
        bytes: &Bytes,
    ) -> Result<Result<(), Conflict>, StorageError> {
        let (url, wanted) = match existing {
            Some(id) => (
                format!("{UPLOAD}/files/{id}/upload_sessions"),
                json!({ "file_size": bytes.len(), "file_name": name }),
            ),
            None => (
                format!("{UPLOAD}/files/upload_sessions"),
                json!({ "folder_id": folder, "file_size": bytes.len(), "file_name": name }),
            ),
        };
        let answer = self.ask(Method::POST, &url, Some(&wanted)).await?;
        if answer.status() != StatusCode::CREATED {
            return self.settled(answer);
        }
        let session: Session = self.parse(&answer)?;
        let url = format!("{UPLOAD}/files/upload_sessions/{}", session.id);
        let uploaded = self.send_parts(&url, session.part_size.max(1), bytes).await;
        if uploaded.is_err() {
            // Box forgets it by itself too; the failure that matters is the first.
            self.ask(Method::DELETE, &url, None).await.ok();
        }
        self.settled(uploaded?)
    }

    async fn send_parts(
        &self,
        url: &str,
        part_bytes: usize,
        bytes: &Bytes,
    ) -> Result<Response<Bytes>, StorageError> {
        let mut parts = Vec::new();
        for start in (0..bytes.len()).step_by(part_bytes) {
            let part = bytes.slice(start..bytes.len().min(start + part_bytes));
            let last = start + part.len() - 1;
            let request = Request::put(url)
                .header(header::AUTHORIZATION, "Bearer")
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header("digest", digest(&part))
                .header(header::CONTENT_RANGE, format!("bytes {start}-{last}/{}", bytes.len()))
                .body(part)
                .map_err(|_| self.http.strange("a part's address is none"))?;
            let answer = self.http.send(request).await?;
            let mut answer: Value = self.parse(&answer)?;
            parts.push(answer["part"].take());
        }
        let commit = Request::post(format!("{url}/commit"))
            .header(header::AUTHORIZATION, "Bearer")
            .header(header::CONTENT_TYPE, "application/json")
            .header("digest", digest(bytes))
            .body(Bytes::from(json!({ "parts": parts }).to_string()));
        let answer =
            self.http.send(commit.map_err(|_| self.http.strange("an address that is none"))?).await?;
        if answer.status() == StatusCode::ACCEPTED {
            let why = "Box has not finished putting the parts together".to_owned();
            return Err(StorageError::Busy { after: None, why });
        }
        Ok(answer)
    }

    fn settled(&self, answer: Response<Bytes>) -> Result<Result<(), Conflict>, StorageError> {
        match answer.status() {
            StatusCode::CREATED | StatusCode::OK => Ok(Ok(())),
            StatusCode::CONFLICT => Ok(Err(self.conflict(&answer)?.id)),
            StatusCode::NOT_FOUND => Err(self.folder_gone()),
            _ => Err(self.unexpected(&answer)),
        }
    }
}

/// The form of an upload. Box wants the attributes before the file.
fn form(boundary: &str, attributes: &Value, bytes: &Bytes) -> Bytes {
    let mut form = BytesMut::with_capacity(bytes.len() + 1024);
    form.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"attributes\"\r\nContent-Type: application/json\r\n\r\n\
             {attributes}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    form.extend_from_slice(bytes);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    form.freeze()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha={}", BASE64_STANDARD.encode(Sha1::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

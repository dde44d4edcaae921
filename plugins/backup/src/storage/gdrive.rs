//! Large uploads to Google Drive. Google wants files beyond 5 MB in an upload that begins with a session; OpenDAL sends
//! every file in one request, which is made into such an upload here.

use bytes::Bytes;
use http::{
    Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
};

use super::{StorageError, transport::Http};

const HOST: &str = "www.googleapis.com";
const BODY_BYTES_MAX: usize = 5_000_000;

/// Whether a request is an upload that needs a session.
pub(super) fn is_large_upload(request: &Request<Bytes>) -> bool {
    request.uri().host() == Some(HOST)
        && request.uri().path().starts_with("/upload/drive/")
        && request.body().len() > BODY_BYTES_MAX
}

/// Begins a session, sends the content, and gives the answer that the one request would have had.
pub(super) async fn upload(http: &Http, request: Request<Bytes>) -> Result<Response<Bytes>, StorageError> {
    let (metadata, content) = match boundary(&request) {
        Some(boundary) => parts(request.body(), boundary)
            .ok_or_else(|| http.strange("an upload whose parts cannot be told apart"))?,
        // A new content of a file that is there, whose metadata stays.
        None => (Bytes::new(), request.body().clone()),
    };
    let address = format!("https://{HOST}{}?uploadType=resumable", request.uri().path());
    let mut begin = Request::builder()
        .method(request.method())
        .uri(address)
        .header(AUTHORIZATION, "Bearer")
        .header("x-upload-content-type", "application/octet-stream")
        .header("x-upload-content-length", content.len());
    if !metadata.is_empty() {
        begin = begin.header(CONTENT_TYPE, "application/json; charset=UTF-8");
    }
    let begin = begin.body(metadata).map_err(|_| http.strange("an upload's address is none"))?;
    let begun = http.send(begin).await?;
    if !begun.status().is_success() {
        return Ok(begun);
    }
    let session = begun.headers().get(LOCATION).and_then(|place| place.to_str().ok());
    let session = session.ok_or_else(|| http.strange("a session without an address"))?;
    let send = Request::put(session).header(AUTHORIZATION, "Bearer").body(content);
    http.send(send.map_err(|_| http.strange("the address of a session is none"))?).await
}

fn boundary(request: &Request<Bytes>) -> Option<&str> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    kind.starts_with("multipart/").then(|| kind.split_once("boundary="))?.map(|(_, boundary)| boundary)
}

/// The metadata and the content of an upload with these two parts.
fn parts(body: &Bytes, boundary: &str) -> Option<(Bytes, Bytes)> {
    let blank = b"\r\n\r\n";
    let mark = format!("\r\n--{boundary}");
    let metadata_start = find(body, blank, 0)? + blank.len();
    let metadata_end = find(body, mark.as_bytes(), metadata_start)?;
    let content_start = find(body, blank, metadata_end)? + blank.len();
    let end = format!("{mark}--");
    let content_end =
        body.len() - body.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count() - end.len();
    body[content_end..].starts_with(end.as_bytes()).then_some(())?;
    Some((body.slice(metadata_start..metadata_end), body.slice(content_start..content_end)))
}

fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    text[from..].windows(wanted.len()).position(|part| part == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests;

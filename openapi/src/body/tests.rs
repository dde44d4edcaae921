use std::{io::Write as _, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use poem::{
    Body,
    http::{HeaderMap, HeaderValue, header},
};

use super::{Budget, Framing, Limits, read};
use crate::{fake::Fake, port::HookBody};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reads a gzip body in chunks of `chunk` bytes under a limit of 1000 bytes.
async fn read_gzip(body: Vec<u8>, chunk: usize) -> Result<Bytes, String> {
    let chunks: Vec<_> =
        body.chunks(chunk).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
    let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
    let limits = Limits { bytes_max: 1000, in_memory_bytes_max: 1000, read_max: Duration::from_secs(5) };
    let body = Body::from_bytes_stream(stream::iter(chunks));
    let mut share = Budget::new(1024 * 1024).share();
    match read(body, &Framing::of(&headers), limits, &mut share, &Fake::default()).await {
        Ok(HookBody::Whole(bytes)) => Ok(bytes),
        Ok(HookBody::Uploaded(_)) => panic!("it fits into memory"),
        Err(failure) => Err(failure.to_string()),
    }
}

const NOT_GZIP: &str = "the body says `Content-Encoding: gzip` but is not gzip, or is cut off";
const TOO_LARGE: &str = "the body is larger than the 1000 bytes that this source takes";

#[tokio::test]
async fn gzip_is_undone_however_it_is_chunked() {
    let plain: Vec<u8> = (0..1000_u32).map(|n| (n * n % 251) as u8).collect();
    for chunk in [1, 7, 4096] {
        assert_eq!(read_gzip(gzip(&plain), chunk).await.unwrap(), plain);
    }
}

#[tokio::test]
async fn members_of_gzip_are_joined() {
    assert_eq!(read_gzip([gzip(b"one "), gzip(b"two")].concat(), 5).await.unwrap(), "one two");
    assert_eq!(read_gzip(gzip(b""), 5).await.unwrap(), "");
}

#[tokio::test]
async fn what_is_not_whole_gzip_is_refused() {
    let whole = gzip(b"a body of some length");
    for cut in [1, 9, 10, 15, whole.len() - 8, whole.len() - 1] {
        assert_eq!(read_gzip(whole[..cut].to_vec(), 4096).await, Err(NOT_GZIP.to_owned()), "cut at {cut}");
    }
    let mut wrong_checksum = whole.clone();
    wrong_checksum[whole.len() - 8] ^= 1;
    assert_eq!(read_gzip(wrong_checksum, 4096).await, Err(NOT_GZIP.to_owned()));
    assert_eq!(
        read_gzip(b"{\"plain\": true, \"long\": \"enough\"}".to_vec(), 4096).await,
        Err(NOT_GZIP.to_owned())
    );
}

#[tokio::test]
async fn the_limit_holds_after_gzip_is_undone_and_before() {
    assert_eq!(read_gzip(gzip(&[b'x'; 1001]), 4096).await, Err(TOO_LARGE.to_owned()));
    let empty_members = gzip(b"").repeat(100);
    assert_eq!(read_gzip(empty_members, 64).await, Err(TOO_LARGE.to_owned()));
}

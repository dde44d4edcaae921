use std::{fs::File, sync::Arc};

use postroom_store::{Body, BodyFile};

use super::{PIECE_BYTES, body};

/// Gives a file of `bytes` bytes as a body that claims to have `announced`.
fn file_of(bytes: usize, announced: u64) -> (Vec<u8>, poem::Body) {
    let content: Vec<u8> = (0..251).cycle().take(bytes).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("body");
    std::fs::write(&path, &content).unwrap();
    let file = Arc::new(File::open(path).unwrap());
    (content, body(Body::File(BodyFile { file, bytes: announced })))
}

#[tokio::test]
async fn a_file_is_read_to_its_end_whatever_its_length() {
    let piece = usize::try_from(PIECE_BYTES).unwrap();
    for bytes in [0, 1, piece - 1, piece, piece + 1, piece * 3] {
        let (content, body) = file_of(bytes, bytes as u64);
        assert!(body.into_vec().await.unwrap() == content, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_file_that_is_too_short_breaks_the_answer_off() {
    let (_, body) = file_of(1000, 1001);
    assert!(body.into_vec().await.is_err());
}

//! Bodies that are too large for memory.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use poem::{Body, http::StatusCode};
use tokio::time::Instant;

use super::{URL, begin, gzip, post, problem_code, stream_of};
use crate::{
    fake::{BODIES_BYTES_MAX, BODY_BYTES_MAX, BODY_READ_MAX, Fake, PIECE_BYTES},
    port::HookRefusal,
};

/// Posts a body in chunks of `chunk` bytes, and gives the pieces in which it reached the gateway.
async fn pieces_of(body: &[u8], chunk: usize) -> Vec<usize> {
    let fake = Fake::uploading();
    let chunks: Vec<_> =
        body.chunks(chunk).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
    let stream = Body::from_bytes_stream(stream::iter(chunks));
    post(&fake, URL, &[], stream).await.assert_status(StatusCode::ACCEPTED);
    let seen = fake.hooks().remove(0);
    assert_eq!(seen.body, body);
    seen.pieces
}

#[tokio::test]
async fn a_body_above_a_piece_is_written_piece_by_piece_however_it_is_chunked() {
    let body: Vec<u8> = (0..251).cycle().take(PIECE_BYTES * 3 + 100).collect();
    for chunk in [1, 100, PIECE_BYTES, PIECE_BYTES * 2 + 1, body.len()] {
        assert_eq!(pieces_of(&body, chunk).await, [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 100]);
        assert_eq!(pieces_of(&body[..PIECE_BYTES * 2], chunk).await, [PIECE_BYTES, PIECE_BYTES]);
        assert!(pieces_of(&body[..PIECE_BYTES], chunk).await.is_empty(), "one piece stays in memory");
    }
}

#[tokio::test]
async fn gzip_is_undone_on_the_way() {
    let fake = Fake::uploading();
    let body: Vec<u8> = (0..251).cycle().take(BODY_BYTES_MAX).collect();
    post(&fake, URL, &[("content-encoding", "gzip")], gzip(&body)).await.assert_status(StatusCode::ACCEPTED);
    let seen = fake.hooks().remove(0);
    assert_eq!(seen.body, body);
    assert_eq!(seen.pieces, [PIECE_BYTES; BODY_BYTES_MAX / PIECE_BYTES]);
}

#[tokio::test]
async fn only_what_is_in_memory_counts() {
    let fake = Fake::uploading();
    let client = fake.client();
    let mut begun = Vec::new();
    // Whole, each of these would take an eighth of what all bodies may.
    for _ in 0..BODIES_BYTES_MAX / PIECE_BYTES / 8 {
        begun.push(begin(&client, BODY_BYTES_MAX).await);
    }
    assert_eq!(fake.open_uploads(), begun.len());
    for (rest, sending) in begun {
        drop(rest);
        sending.await.assert_status(StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_cut_off_and_nothing_of_it_stays() {
    let fake = Fake::uploading();
    let (body, _) = stream_of(&[b'x'; 1000], usize::MAX);
    let answer = problem_code(fake.client().post(URL).body(body).send().await).await;
    assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
    let bomb = gzip(&vec![0; 16 * 1024 * 1024]);
    let answer = problem_code(post(&fake, URL, &[("content-encoding", "gzip")], bomb).await).await;
    assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
    assert_eq!((fake.open_uploads(), fake.hooks().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_half_way_leaves_nothing() {
    let fake = Fake::uploading();
    let client = fake.client();

    let (rest, sending) = begin(&client, PIECE_BYTES * 3).await;
    rest.send(Err(std::io::Error::other("reset"))).unwrap();
    assert_eq!(fake.open_uploads(), 1);
    sending.await.assert_status(StatusCode::BAD_REQUEST);
    assert_eq!(fake.open_uploads(), 0);

    let (_rest, sending) = begin(&client, PIECE_BYTES * 3).await;
    sending.await.assert_status(StatusCode::REQUEST_TIMEOUT);
    assert_eq!(fake.open_uploads(), 0);

    let begun = begin(&client, PIECE_BYTES * 3).await;
    assert_eq!(fake.open_uploads(), 1);
    drop(begun);
    assert_eq!((fake.open_uploads(), fake.hooks().len()), (0, 0));
}

#[tokio::test]
async fn a_disk_that_fills_up_half_way_is_answered_at_once() {
    let fake = Fake::full_after(2);
    let client = fake.client();
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; PIECE_BYTES * 4]))]);
    let body = Body::from_bytes_stream(first.chain(stream::pending()));
    let sending = client.post(URL).body(body).send();
    let response = sending.now_or_never().expect("the rest is not waited for");
    response.assert_header("retry-after", "5");
    assert_eq!(problem_code(response).await, (StatusCode::SERVICE_UNAVAILABLE, "unavailable".to_owned()));
    assert_eq!(fake.open_uploads(), 0);
}

/// Sends four pieces, each so long after the one before, and gives the answer.
async fn slowly(fake: &Fake, every: Duration) -> (StatusCode, String) {
    let pieces = stream::iter(0..4).then(move |_| async move {
        tokio::time::sleep(every).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; PIECE_BYTES]))
    });
    let response = fake.client().post(URL).body(Body::from_bytes_stream(pieces)).send().await;
    match response.0.status() {
        StatusCode::ACCEPTED => (StatusCode::ACCEPTED, String::new()),
        _ => problem_code(response).await,
    }
}

#[tokio::test(start_paused = true)]
async fn time_that_the_disk_takes_is_not_the_senders() {
    let second = Duration::from_secs(1);
    let answer = slowly(&Fake::slow_disk(second), second).await;
    assert_eq!(
        answer.0,
        StatusCode::ACCEPTED,
        "four seconds of the sender, and four of the disk: {answer:?}"
    );
    let answer = slowly(&Fake::slow_disk(second), BODY_READ_MAX / 3).await;
    assert_eq!(answer, (StatusCode::REQUEST_TIMEOUT, "body_timeout".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_too_long_is_no_fault_of_the_sender() {
    for piece_takes in [BODY_READ_MAX / 3, Duration::from_secs(60 * 60)] {
        let fake = Fake::slow_disk(piece_takes);
        let begun = Instant::now();
        let answer = slowly(&fake, Duration::ZERO).await;
        assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, "unavailable".to_owned()));
        assert_eq!(begun.elapsed(), BODY_READ_MAX);
        assert_eq!(fake.open_uploads(), 0);
        let heard = fake.refused();
        assert!(heard[0].contains("the disk takes too long"), "{heard:?}");
    }
}

#[tokio::test]
async fn a_refusal_at_the_end_leaves_nothing_either() {
    let refusal = HookRefusal::Unavailable { retry_after: Duration::ZERO, reason: "full".to_owned() };
    let fake = Fake::refusing(refusal);
    post(&fake, URL, &[], vec![b'x'; PIECE_BYTES * 2]).await.assert_status(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fake.open_uploads(), 0);
}

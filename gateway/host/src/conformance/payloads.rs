//! What is in an event must not matter: bodies are what strangers sent.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
    sync::Arc,
};

use bytes::Bytes;
use postroom_core::{
    event::Kind,
    outcome::{Outcome, OutcomeKind},
};
use rustix::fs::{MemfdFlags, memfd_create};

use super::{
    Broken, Sample, Seen, Subject,
    rig::{Rig, all_in_words, in_words},
};
use crate::body::PluginBody;

const LARGE_BYTES: usize = 32 * 1024 * 1024;
const PIECE_BYTES: usize = 1024 * 1024;

/// Delivers every sample of a kind. Where none of them gets through, it is most likely not the plugin that was checked but
/// its surroundings: an address where nobody is, or a port that it was not granted.
pub(super) async fn samples_of(subject: &Subject, kind: Kind) -> Result<Seen, Broken> {
    let rig = Rig::start(subject).await?;
    let mut outcomes = Vec::new();
    for sample in subject.samples.iter().filter(|sample| sample.event.kind == kind) {
        outcomes.push(rig.deliver(&sample.delivery()).await?);
    }
    if outcomes.is_empty() {
        return Err(Broken::new("there is no sample event of this kind"));
    }
    let words = all_in_words(&outcomes);
    let stuck = |outcome: &Outcome| matches!(outcome.kind, OutcomeKind::Retry | OutcomeKind::Misconfigured);
    if outcomes.iter().all(stuck) {
        return Ok(Seen { reason: format!("none got through: {words}"), doubtful: true });
    }
    Ok(words.into())
}

/// An event of a kind that this version does not have. A newer gateway may deliver one to this very plugin.
pub(super) async fn new_kind(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let outcome = rig.deliver_kind(&subject.usual_sample()?.delivery(), "kind.to_come").await?;
    Ok(in_words(&outcome))
}

/// Delivery is at least once: after a crash an event comes again.
pub(super) async fn again(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let mut delivery = subject.usual_sample()?.delivery();
    let first = rig.deliver(&delivery).await?;
    delivery.attempt += 1;
    let second = rig.deliver(&delivery).await?;
    Ok(format!("first {}, then {}", in_words(&first), in_words(&second)))
}

/// Every kind with nothing in it.
pub(super) async fn empty(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let outcomes = with_body(&rig, subject, &Bytes::new()).await?;
    Ok(all_in_words(outcomes.iter().map(|(_, outcome)| outcome)))
}

/// Every kind with something in it that nobody can read. To try such an event again is of no use: that would hold up its
/// lane for as long as the retries last, and then there is a dead letter all the same.
pub(super) async fn not_json(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let good = rig.deliver(&subject.usual_sample()?.delivery()).await?;
    let outcomes = with_body(&rig, subject, &Bytes::from_static(b"\xff\0{\"collection\": ")).await?;
    if good.kind == OutcomeKind::Retry {
        return Ok(format!("cannot be told here, for good events end so too: {}", in_words(&good)));
    }
    match outcomes.iter().find(|(_, outcome)| outcome.kind == OutcomeKind::Retry) {
        Some((kind, outcome)) => Err(Broken::new(format!(
            "a {kind} that cannot be read is to be tried again, and never will be readable: {}",
            in_words(outcome)
        ))),
        None => Ok(all_in_words(outcomes.iter().map(|(_, outcome)| outcome))),
    }
}

async fn with_body(rig: &Rig, subject: &Subject, body: &Bytes) -> Result<Vec<(Kind, Outcome)>, Broken> {
    let mut outcomes: Vec<(Kind, Outcome)> = Vec::new();
    for sample in &subject.samples {
        if outcomes.iter().all(|(kind, _)| *kind != sample.event.kind) {
            let outcome = rig.deliver(&sample.delivery_with(body.clone())).await?;
            outcomes.push((sample.event.kind, outcome));
        }
    }
    Ok(outcomes)
}

/// A body that is too large for a frame: it comes as a mapped file.
pub(super) async fn large(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let sample = subject.usual_sample()?;
    let file = padded(sample)?;
    let bytes = LARGE_BYTES as u64;
    let body = PluginBody::File { file: Arc::new(file), bytes };
    let outcome = rig.deliver(&sample.delivery_of(body, bytes)).await?;
    Ok(in_words(&outcome))
}

/// The body of a sample, with blanks behind it that JSON does not mind.
fn padded(sample: &Sample) -> io::Result<File> {
    let mut file = File::from(memfd_create("body", MemfdFlags::CLOEXEC)?);
    file.write_all(&sample.body)?;
    let blanks = vec![b' '; PIECE_BYTES];
    let mut left = LARGE_BYTES.saturating_sub(sample.body.len());
    while left > 0 {
        let piece = left.min(PIECE_BYTES);
        file.write_all(&blanks[..piece])?;
        left -= piece;
    }
    // Opened once more: a plugin gets only what it cannot write to.
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

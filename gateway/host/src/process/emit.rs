//! Takes the events that a plugin makes, beside the conversation.

use std::{borrow::Cow, sync::Arc, time::Duration};

use postroom_core::event::EmittedKind;
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
    time::timeout,
};

use super::pending::Pending;
use crate::{
    mask::Mask,
    plugin_emit::{Emission, EmitReply, EmitRequest, PluginEmit, WAITING_BYTES_MAX, WAITING_MAX},
    wire::Frame,
};

/// Events of one process that are stored at once. The store is everybody's.
const RUNNING_MAX: usize = 32;

/// A process makes more at once than its side of the contract lets a plugin make.
#[derive(Debug, thiserror::Error)]
#[error("it made more events at once than it may")]
pub(super) struct TooMuch;

/// Takes the events of one process.
#[derive(Debug)]
pub(super) struct EmitDesk {
    /// Absent where the operator has not granted it.
    emit: Option<Arc<dyn PluginEmit>>,
    /// The kinds that the plugin has declared.
    kinds: Vec<EmittedKind>,
    mask: Arc<Mask>,
    replies: mpsc::Sender<Frame>,
    running: Arc<Semaphore>,
    /// Those that wait, and their bytes.
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
    /// How long storing one may take.
    limit: Duration,
}

impl EmitDesk {
    pub(super) fn new(
        emit: Option<Arc<dyn PluginEmit>>,
        kinds: Vec<EmittedKind>,
        mask: Arc<Mask>,
        replies: mpsc::Sender<Frame>,
        limit: Duration,
    ) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        let (running, places, room) =
            (semaphore(RUNNING_MAX), semaphore(WAITING_MAX), semaphore(WAITING_BYTES_MAX));
        Self { emit, kinds, mask, replies, running, places, room, limit }
    }

    /// Has an event stored and answered. Never waits.
    pub(super) fn take(
        &self,
        number: u64,
        request: EmitRequest,
        pending: &Arc<Pending>,
    ) -> Result<(), TooMuch> {
        let bytes = u32::try_from(request.bytes()).map_err(|_| TooMuch)?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| TooMuch)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| TooMuch)?;
        let token = request.token;
        let asked = self.allowed(request, pending);
        let (replies, running, limit) = (self.replies.clone(), Arc::clone(&self.running), self.limit);
        let (mask, pending) = (Arc::clone(&self.mask), Arc::clone(pending));
        tokio::spawn(async move {
            let reply = match asked {
                Ok((emit, emission)) => {
                    let counted = emission.origin.is_some();
                    let stored = stored(emit, emission, mask, running);
                    let reply = timeout(limit, stored).await.unwrap_or(EmitReply::Unavailable);
                    // Before the answer goes out: the plugin's next try must find its place.
                    if counted && !matches!(reply, EmitReply::Done { .. }) {
                        pending.unmade_event(token);
                    }
                    reply
                }
                Err(refusal) => refusal,
            };
            // Kept until there is room for the answer: a process that does not read its answers has only so many of
            // them made. Given back before the answer goes out: whoever has it may make the next.
            let answer = replies.reserve().await;
            drop((place, room));
            // Nobody is there to read it when the process has ended.
            if let Ok(answer) = answer {
                answer.send(Frame::emit_reply(number, &reply));
            }
        });
        Ok(())
    }

    /// What the gateway is asked to keep, and who keeps it; or why the plugin may not make it.
    fn allowed(
        &self,
        request: EmitRequest,
        pending: &Pending,
    ) -> Result<(Arc<dyn PluginEmit>, Emission), EmitReply> {
        let emit = self.emit.as_ref().ok_or(EmitReply::Denied)?;
        if !self.kinds.contains(&request.kind) {
            return Err(EmitReply::Denied);
        }
        let origin = match request.token {
            0 => None,
            token => Some(pending.made_event(token, request.nth)?),
        };
        Ok((Arc::clone(emit), request.emission(origin)))
    }
}

/// Has an event stored. It counts as running until the store has answered, also when nobody waits for that any more: it
/// then is still among what the store has to do.
async fn stored(
    emit: Arc<dyn PluginEmit>,
    emission: Emission,
    mask: Arc<Mask>,
    running: Arc<Semaphore>,
) -> EmitReply {
    let Ok(permit) = running.acquire_owned().await else { return EmitReply::Unavailable };
    let storing = tokio::spawn(async move {
        let _permit = permit;
        // A large body takes a while, and this thread is everybody's.
        match spawn_blocking(move || masked(emission, &mask)).await {
            Ok(emission) => emit.emit(emission).await,
            Err(_) => EmitReply::Unavailable,
        }
    });
    storing.await.unwrap_or(EmitReply::Unavailable)
}

/// An event without the plugin's secrets. They slip into texts, and routes may lead those anywhere.
fn masked(emission: Emission, mask: &Mask) -> Emission {
    let text = |text: String| mask.text(&text, usize::MAX).into_owned();
    let some = |some: Option<String>| some.map(text);
    let body = match std::str::from_utf8(&emission.body) {
        Ok(body) => match mask.text(body, usize::MAX) {
            Cow::Borrowed(_) => emission.body,
            Cow::Owned(body) => body.into(),
        },
        Err(_) => emission.body,
    };
    Emission {
        subject: some(emission.subject),
        ordering_key: some(emission.ordering_key),
        content_type: some(emission.content_type),
        key: some(emission.key),
        labels: emission.labels.into_iter().map(|(name, value)| (text(name), text(value))).collect(),
        body,
        ..emission
    }
}

#[cfg(test)]
mod tests;

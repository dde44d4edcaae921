//! A deliverer with a script.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    os::unix::fs::FileExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::BoxFuture;
use postroom_core::outcome::{Outcome, OutcomeKind};
use postroom_host::{Delivered, PluginBody, PluginDelivery};
use tokio::sync::{Notify, mpsc};

use crate::Deliver;

pub(super) fn fails() -> Delivered {
    Delivered::Outcome(Outcome::retry("http_503", "busy"))
}

pub(super) fn ends(kind: OutcomeKind) -> Delivered {
    Delivered::Outcome(Outcome::of(kind))
}

/// What to answer: by name a few scripted ends, then success.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    first: HashMap<String, VecDeque<Delivered>>,
    never: HashSet<String>,
    holding: HashSet<String>,
    lets_go: HashSet<String>,
    panics: HashSet<String>,
}

impl Scripted {
    /// The first attempts at `name` end like this.
    pub(super) fn first<const N: usize>(mut self, name: &str, ends: [Delivered; N]) -> Self {
        self.first.insert(name.to_owned(), ends.into());
        self
    }

    /// Attempts at `name` never end.
    pub(super) fn never(mut self, name: &str) -> Self {
        self.never.insert(name.to_owned());
        self
    }

    /// The first attempt at `name` panics.
    pub(super) fn panicking(mut self, name: &str) -> Self {
        self.panics.insert(name.to_owned());
        self
    }

    /// The first attempt at `name` ends only when it is released, whether it is cancelled or not.
    pub(super) fn holding(mut self, name: &str) -> Self {
        self.holding.insert(name.to_owned());
        self
    }

    /// Attempts at `name` end only when they are cancelled.
    pub(super) fn lets_go(mut self, name: &str) -> Self {
        self.lets_go.insert(name.to_owned());
        self
    }
}

#[derive(Debug)]
pub(super) struct Actor {
    pub(super) script: Mutex<Scripted>,
    /// The names of attempts, as they begin.
    pub(super) started: mpsc::UnboundedSender<String>,
    /// Ends one attempt that is held.
    pub(super) release: Arc<Notify>,
    /// The remote side is away: every attempt fails.
    pub(super) down: Arc<AtomicBool>,
}

impl Deliver for Actor {
    fn deliver(&self, delivery: PluginDelivery) -> BoxFuture<'static, Delivered> {
        let name = name(&delivery.body);
        let mut script = self.script.lock().unwrap();
        let never = script.never.contains(&name);
        let lets_go = script.lets_go.contains(&name);
        let holding = script.holding.remove(&name);
        let panics = script.panics.remove(&name);
        let end = match script.first.get_mut(&name).and_then(VecDeque::pop_front) {
            Some(end) => end,
            None if self.down.load(Ordering::SeqCst) => fails(),
            None => ends(OutcomeKind::Delivered),
        };
        let release = Arc::clone(&self.release);
        self.started.send(name).unwrap();
        Box::pin(async move {
            assert!(!panics, "as the script says");
            if never {
                std::future::pending::<()>().await;
            }
            if lets_go {
                delivery.cancel.cancelled().await;
                return Delivered::Cancelled;
            }
            if holding {
                release.notified().await;
            }
            end
        })
    }
}

/// Events are called by their body; what makes it large does not count.
fn name(body: &PluginBody) -> String {
    let bytes = match body {
        PluginBody::Bytes(bytes) => bytes.to_vec(),
        PluginBody::File { file, bytes } => {
            let mut read = vec![0; usize::try_from(*bytes).unwrap()];
            file.read_exact_at(&mut read, 0).unwrap();
            read
        }
    };
    String::from_utf8(bytes).unwrap().trim_end().to_owned()
}

//! The targets: they take runs as they were sent, note every request, and have their moods.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time;

use super::{
    books::{Arrival, is_hopeless},
    lanes,
};
use crate::doubles::{Gate, Reply, Request, Rules};

/// How a target answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// Each answer takes so long.
    Slow(Duration),
    /// Every so manyth answer is good, the others are 503.
    Failing(u64),
    /// 429, with a second to wait.
    Limiting,
}

/// What a target has seen. A clone looks at the same notes.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    mood: Mood,
    requests: u64,
    /// By lane.
    arrivals: HashMap<u64, Vec<Arrival>>,
    /// The event that brought a run, by lane and number.
    events: HashMap<(u64, u64), String>,
    /// What no gateway may send.
    strange: Vec<String>,
}

impl Default for Inner {
    fn default() -> Self {
        let (arrivals, events) = Default::default();
        Self { mood: Mood::Well, requests: 0, arrivals, events, strange: Vec::new() }
    }
}

impl Notes {
    pub(super) fn set_mood(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Takes out what arrived of a lane since the last time.
    pub(super) fn take_arrivals(&self, lane: u64) -> Vec<Arrival> {
        self.lock().arrivals.remove(&lane).unwrap_or_default()
    }

    /// Takes out what was wrong with requests since the last time.
    pub(super) fn take_strange(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().strange)
    }

    /// Runs of a lane that it has taken, whenever it was.
    pub(super) fn taken_of(&self, lane: u64) -> usize {
        self.lock().events.keys().filter(|(of, number)| *of == lane && !is_hopeless(*number)).count()
    }

    /// The run that an event brought.
    pub(super) fn runs_by_event(&self) -> HashMap<String, (u64, u64)> {
        self.lock().events.iter().map(|(run, event)| (event.clone(), *run)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn answer(&mut self, request: &Request) -> Reply {
        self.requests += 1;
        let Some((lane, number)) = lanes::run_of(&request.body) else {
            self.strange.push(format!("a body that nobody sent, of {} bytes", request.body.len()));
            return Reply::status(400);
        };
        let event = request.header("postroom-event-id");
        let known = self.events.entry((lane, number)).or_insert_with(|| event.to_owned());
        if known != event {
            self.strange
                .push(format!("lane {lane}, run {number} came as event {known} and as event {event}"));
        }
        let status = match self.mood {
            _ if is_hopeless(number) => 422,
            Mood::Well | Mood::Slow(_) => 200,
            Mood::Failing(nth) if self.requests.is_multiple_of(nth) => 200,
            Mood::Failing(_) => 503,
            Mood::Limiting => 429,
        };
        self.arrivals.entry(lane).or_default().push(Arrival { number, taken: status == 200 });
        let reply = Reply::status(status);
        match self.mood {
            Mood::Slow(delay) => reply.behind(&opens_after(delay)),
            Mood::Limiting if status == 429 => reply.header("retry-after", "1"),
            _ => reply,
        }
    }
}

fn opens_after(delay: Duration) -> Gate {
    let gate = Gate::new();
    let opener = gate.clone();
    tokio::spawn(async move {
        time::sleep(delay).await;
        opener.open();
    });
    gate
}

impl Rules for Notes {
    fn answer(&self, request: &Request) -> Reply {
        self.lock().answer(request)
    }
}

//! One life of a store: what it does, in a process of its own.

use std::{
    env,
    ffi::OsString,
    mem,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::join_all;
use postroom_core::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId},
    limits::INLINE_BODY_BYTES_MAX,
};
use postroom_faulty_disk::Random;

use super::{
    database, following,
    notes::{Action, Answer, Note, Notes, Shown, state},
};
use crate::{
    DeliveryFilter, EventFilter, Options, Pause, Prune, RetryAnswer, SqliteStore, Store,
    testing::{self, at, change, destination, new_event, page, with_body},
};

/// More than a life can accept; the next one counts on from here.
pub(super) const EVENTS_MAX: u64 = 1000;
const DESTINATIONS: [&str; 2] = ["a", "b"];
pub(super) const LANES: u64 = 3;
/// Bodies above this number are large; several events share one.
const SMALL_BODIES: u64 = 5;
const BODIES: u64 = 8;
/// What is made when the log is followed.
pub(super) const MADE_FOR: &str = DESTINATIONS[0];
pub(super) const MADE_BODY: u64 = 0;

/// What makes a life.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) seed: u64,
    /// The number of its first event.
    pub(super) first_event: u64,
    pub(super) root: PathBuf,
    pub(super) notes: PathBuf,
    pub(super) actions: u64,
    /// Whether it closes its store or breaks off.
    pub(super) ends_well: bool,
}

impl Life {
    pub(super) fn variables(&self) -> [(&'static str, OsString); 6] {
        [
            ("LIFE_SEED", self.seed.to_string().into()),
            ("LIFE_FIRST_EVENT", self.first_event.to_string().into()),
            ("LIFE_ROOT", self.root.clone().into()),
            ("LIFE_NOTES", self.notes.clone().into()),
            ("LIFE_ACTIONS", self.actions.to_string().into()),
            ("LIFE_ENDS_WELL", u64::from(self.ends_well).to_string().into()),
        ]
    }

    /// The life that this process was started for, if it was.
    pub(super) fn of_this_process() -> Option<Self> {
        let root = env::var_os("LIFE_ROOT")?.into();
        let number = |name| env::var(name).unwrap().parse::<u64>().unwrap();
        Some(Self {
            seed: number("LIFE_SEED"),
            first_event: number("LIFE_FIRST_EVENT"),
            root,
            notes: env::var_os("LIFE_NOTES").unwrap().into(),
            actions: number("LIFE_ACTIONS"),
            ends_well: number("LIFE_ENDS_WELL") == 1,
        })
    }

    pub(super) fn run(&self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(self.live());
    }

    async fn live(&self) {
        let notes = Arc::new(Notes::create(&self.notes));
        // What keeps it from opening is the disk; the next life will see what is left.
        let Ok((store, mut feed, _highest)) = SqliteStore::open(Options::new(database(&self.root))) else {
            return;
        };
        let fed = Arc::clone(&notes);
        let feed = tokio::spawn(async move {
            while let Some(commit) = feed.recv().await {
                for delivery in commit.deliveries {
                    fed.write(&Note::Fed(delivery.ticket.id.get()));
                }
            }
        });
        let mut known = show(&store, &notes).await;
        let mut random = Random::new(self.seed);
        let next_event = AtomicU64::new(self.first_event);
        let mut begun = 0;
        while begun < self.actions {
            // Together, so that one commit holds several; but no two about one delivery, no two pauses, and nobody follows
            // the log twice at once: their order would be open.
            let count = 1 + random.below(6);
            let mut batch: Vec<(u64, Action)> = Vec::new();
            for _ in 0..count {
                let action = any_action(&mut random, &mut known, &next_event);
                let is_alone = |action: &Action| matches!(action, Action::Pause(..) | Action::Follow { .. });
                let is_same = |other: &Action| mem::discriminant(other) == mem::discriminant(&action);
                if is_alone(&action) && batch.iter().any(|(_, other)| is_same(other)) {
                    continue;
                }
                batch.push((begun, action));
                begun += 1;
            }
            let done = batch.iter().map(|(number, action)| perform(&store, &notes, *number, action));
            for made in join_all(done).await {
                known.extend(made);
            }
        }
        if !self.ends_well {
            process::abort();
        }
        store.close().await;
        drop(store);
        feed.await.unwrap();
    }
}

fn any_action(random: &mut Random, known: &mut Vec<i64>, next_event: &AtomicU64) -> Action {
    match random.below(23) {
        0..=8 => {
            let event = next_event.fetch_add(1, Ordering::Relaxed);
            let destinations = match random.below(5) {
                0 => vec![],
                1 | 2 => vec![DESTINATIONS[0].to_owned()],
                _ => DESTINATIONS.map(str::to_owned).to_vec(),
            };
            let key = random.chance(1, 3).then(|| format!("key-{}", random.below(6)));
            // The same key comes with the same body: another one would be another event.
            let body = key.as_ref().map_or_else(|| random.below(BODIES), |key| key.len() as u64 + 1);
            Action::Accept { event, destinations, body, key }
        }
        9..=15 => {
            let mut changes = Vec::new();
            for _ in 0..=random.below(3) {
                if let Some(id) = take(random, known) {
                    changes.push((id, random.pick(&DeliveryState::ALL).as_str().to_owned()));
                }
            }
            Action::Record(changes)
        }
        16 | 17 => take(random, known).map_or(Action::Record(vec![]), Action::Retry),
        18 => Action::Prune(usize::try_from(random.below(4)).unwrap()),
        19..=21 => Action::Follow { event: next_event.fetch_add(1, Ordering::Relaxed) },
        _ => Action::Pause((*random.pick(&DESTINATIONS)).to_owned(), random.chance(1, 2)),
    }
}

/// Takes a known delivery away; it comes back when its action is answered.
fn take(random: &mut Random, known: &mut Vec<i64>) -> Option<i64> {
    if known.is_empty() {
        return None;
    }
    let index = usize::try_from(random.below(known.len() as u64)).unwrap();
    Some(known.swap_remove(index))
}

pub(super) fn body_of(number: u64) -> Vec<u8> {
    let text = format!("body {number} ");
    let times = if number > SMALL_BODIES { INLINE_BODY_BYTES_MAX / 4 } else { 1 };
    text.repeat(times).into_bytes()
}

fn number_of(body: &[u8]) -> Option<u64> {
    (0..=BODIES + 6).find(|number| body_of(*number) == body)
}

/// Does one thing, and gives the deliveries that later actions may be about.
async fn perform(store: &SqliteStore, notes: &Notes, number: u64, action: &Action) -> Vec<i64> {
    notes.write(&Note::Begin(number, action.clone()));
    let (answer, known) = match action {
        Action::Accept { event, destinations, body, key } => {
            let names: Vec<&str> = destinations.iter().map(String::as_str).collect();
            let event_number = u32::try_from(*event).unwrap();
            let new = new_event(event_number, &format!("lane {}", event % LANES), &names);
            let mut new = with_body(new, body_of(*body));
            if let Some(key) = key {
                new = testing::marked(new, key, u8::try_from(*body).unwrap());
            }
            match store.accept(new).await {
                Ok(accepted) => {
                    let deliveries: Vec<i64> = accepted.deliveries.iter().map(|id| id.get()).collect();
                    let event = event_number_of(accepted.event);
                    let known = if accepted.repeated { vec![] } else { deliveries.clone() };
                    (Answer::Accepted { event, deliveries, repeated: accepted.repeated }, known)
                }
                Err(error) => (Answer::Error(error.to_string()), vec![]),
            }
        }
        Action::Record(changes) => {
            let ids = changes.iter().map(|(id, _)| *id).collect();
            let changes =
                changes.iter().map(|(id, name)| change(DeliveryId::new(*id), state(name))).collect();
            let answer = store.record(changes).await;
            (answer.map_or_else(|error| Answer::Error(error.to_string()), |()| Answer::Done), ids)
        }
        Action::Retry(id) => match store.retry(DeliveryId::new(*id), at(9_000)).await {
            Ok(RetryAnswer::Made(made)) => (Answer::Retried(Some(made.get())), vec![*id, made.get()]),
            Ok(_) => (Answer::Retried(None), vec![*id]),
            Err(error) => (Answer::Error(error.to_string()), vec![*id]),
        },
        Action::Prune(oldest) => {
            let prune = Prune { oldest: *oldest, limit: *oldest, ..Prune::default() };
            let answer = store.prune(prune).await;
            (answer.map_or_else(|error| Answer::Error(error.to_string()), |_| Answer::Done), vec![])
        }
        Action::Follow { event } => {
            let followed = following::follow(store, u32::try_from(*event).unwrap()).await;
            (followed.map_or_else(|error| Answer::Error(error.to_string()), Answer::Followed), vec![])
        }
        Action::Pause(name, paused) => {
            let pause = paused.then(|| Pause { at: at(1), by: "somebody".to_owned() });
            let answer = store.set_pause(destination(name), pause).await;
            (answer.map_or_else(|error| Answer::Error(error.to_string()), |()| Answer::Done), vec![])
        }
    };
    notes.write(&Note::End(number, answer));
    known
}

/// Notes everything that is in the store, and gives its deliveries.
async fn show(store: &SqliteStore, notes: &Notes) -> Vec<i64> {
    let mut known = Vec::new();
    let mut before = None;
    loop {
        let events = store.events(EventFilter::default(), page(before, 100)).await.unwrap();
        for event in &events.items {
            let id = event.event.id;
            let filter = DeliveryFilter { event: Some(id), ..DeliveryFilter::default() };
            let listed = store.deliveries(filter, page(None, 100)).await.unwrap();
            let mut deliveries: Vec<Shown> = listed
                .items
                .iter()
                .map(|delivery| Shown {
                    id: delivery.id.get(),
                    destination: delivery.destination.as_str().to_owned(),
                    state: delivery.state.as_str().to_owned(),
                    replay_of: delivery.replay_of.map(|of| of.get()),
                    replayed_by: delivery.replayed_by.map(|by| by.get()),
                })
                .collect();
            deliveries.reverse();
            known.extend(deliveries.iter().map(|delivery| delivery.id));
            let body = match store.body(id).await {
                Ok(Some(body)) => body.read().await.ok().and_then(|body| number_of(&body)),
                _ => None,
            };
            notes.write(&Note::Event { event: event_number_of(id), deliveries, body });
        }
        before = events.next;
        if before.is_none() {
            break;
        }
    }
    let pauses = store.pauses().await.unwrap();
    let paused = pauses.iter().map(|(name, _)| name.as_str().to_owned()).collect();
    notes.write(&Note::Paused(paused));
    let waiting = testing::waiting(store).await;
    notes.write(&Note::Waiting(waiting.iter().map(|id| id.get()).collect()));
    let (position, fault) = following::agree(store).await;
    notes.write(&Note::Position { position, fault });
    notes.write(&Note::Shown);
    known
}

/// The other way round of [`testing::event_id`], which makes a moment of the number.
fn event_number_of(id: EventId) -> u64 {
    let mut moment = [0; 8];
    moment[2..].copy_from_slice(&id.as_bytes()[..6]);
    u64::from_be_bytes(moment) - testing::received_at(0).as_unix_ms().unsigned_abs()
}

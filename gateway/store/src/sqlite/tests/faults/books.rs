//! What a store may hold after what was done to it, and what it must.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    life,
    notes::{Action, Answer, Note, Shown, state},
};

/// The books of one store, from life to life.
#[derive(Debug, Default)]
pub(super) struct Books {
    events: BTreeMap<u64, Event>,
    deliveries: BTreeMap<i64, Delivery>,
    /// Changes of several deliveries that may have happened, all or none.
    open_records: Vec<Vec<(i64, String)>>,
    /// Deliveries that the feed told of in the last life.
    fed: BTreeSet<i64>,
    /// By destination, what may be.
    paused: BTreeMap<String, BTreeSet<bool>>,
    /// How far the log was surely followed.
    position: i64,
    /// The highest delivery id that was ever answered.
    highest: i64,
    /// Whether anything was pruned in the last life, or in any.
    pruned: bool,
    ever_pruned: bool,
    /// Events that were there at some time, or that an answer to another one names.
    ever: BTreeSet<u64>,
    /// Events that were begun in the last life.
    begun: BTreeSet<u64>,
}

#[derive(Debug)]
struct Event {
    must_be: bool,
    destinations: Vec<String>,
    body: u64,
    key: Option<String>,
    /// Its first deliveries, once they are known.
    deliveries: Option<Vec<i64>>,
}

impl Event {
    /// What is made when the log is followed.
    fn made(must_be: bool) -> Self {
        let destinations = vec![life::MADE_FOR.to_owned()];
        Self { must_be, destinations, body: life::MADE_BODY, key: None, deliveries: None }
    }
}

#[derive(Debug)]
struct Delivery {
    event: u64,
    must_be: bool,
    /// Its states in order, and whether each was answered. The first is from before the life.
    history: Vec<(String, bool)>,
    /// Retries of it that may have happened without an answer.
    open_retries: usize,
}

impl Delivery {
    fn new(event: u64, must_be: bool) -> Self {
        Self { event, must_be, history: vec![("pending".to_owned(), true)], open_retries: 0 }
    }

    fn possible(&self) -> BTreeSet<&str> {
        let mut possible = BTreeSet::new();
        for (state, answered) in &self.history {
            if *answered {
                possible.clear();
            }
            possible.insert(state.as_str());
        }
        possible
    }

    fn surely_waited(&self) -> bool {
        self.history.iter().all(|(name, _)| !state(name).is_final())
    }
}

type Check = Result<(), String>;

impl Books {
    /// Compares what a life found with the books, then enters what it did.
    pub(super) fn compare(&mut self, notes: &[Note]) -> Check {
        let Some(shown) = notes.iter().position(|note| matches!(note, Note::Shown)) else {
            // It could not open the store or died before it had looked at all of it. It has done nothing.
            return Ok(());
        };
        self.compare_shown(&notes[..shown])?;
        self.enter(&notes[shown..])
    }

    fn compare_shown(&mut self, notes: &[Note]) -> Check {
        let mut found = BTreeMap::new();
        for note in notes {
            match note {
                Note::Event { event, deliveries, body } => {
                    self.compare_event(*event, deliveries, *body)?;
                    found.insert(*event, deliveries);
                }
                Note::Paused(names) => self.compare_pauses(names)?,
                Note::Waiting(ids) => compare_waiting(ids, &found)?,
                Note::Position { position, fault } => self.compare_position(*position, fault.as_deref())?,
                Note::Shown | Note::Begin(..) | Note::End(..) | Note::Fed(_) => {}
            }
        }
        for (number, event) in &self.events {
            if event.must_be && !found.contains_key(number) && !self.may_be_pruned(*number) {
                return Err(format!("event {number} was accepted and is not there"));
            }
        }
        let ids: BTreeMap<i64, &Shown> =
            found.values().flat_map(|list| list.iter()).map(|shown| (shown.id, shown)).collect();
        for (id, delivery) in &self.deliveries {
            if delivery.must_be && found.contains_key(&delivery.event) && !ids.contains_key(id) {
                return Err(format!("delivery {id} of event {} is not there", delivery.event));
            }
        }
        if let Some(id) = self.fed.iter().find(|id| !ids.contains_key(id) && !self.pruned) {
            return Err(format!("the feed told of delivery {id}, which is not there"));
        }
        self.compare_records(&ids)?;
        self.compare_keys(&found)?;
        self.begin_anew(&found);
        Ok(())
    }

    fn compare_event(&self, number: u64, deliveries: &[Shown], body: Option<u64>) -> Check {
        let event = self.events.get(&number).ok_or_else(|| format!("event {number} was never accepted"))?;
        if body != Some(event.body) {
            return Err(format!("event {number} has body {body:?} and not {}", event.body));
        }
        let first = || deliveries.iter().filter(|delivery| delivery.replay_of.is_none());
        let destinations: Vec<&String> = first().map(|delivery| &delivery.destination).collect();
        if destinations != event.destinations.iter().collect::<Vec<_>>() {
            return Err(format!("event {number} is there in part: {destinations:?}"));
        }
        let ids: Vec<i64> = first().map(|delivery| delivery.id).collect();
        if event.deliveries.as_ref().is_some_and(|known| *known != ids) {
            return Err(format!("event {number} has deliveries {ids:?} and not {:?}", event.deliveries));
        }
        for destination in &event.destinations {
            let chain: Vec<&Shown> =
                deliveries.iter().filter(|shown| shown.destination == *destination).collect();
            self.compare_chain(number, &chain)?;
        }
        deliveries.iter().try_for_each(|shown| self.compare_state(shown))
    }

    /// The deliveries of an event to one destination: each repeats the one before, and was asked for.
    fn compare_chain(&self, event: u64, chain: &[&Shown]) -> Check {
        for pair in chain.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            if (before.replayed_by, after.replay_of) != (Some(after.id), Some(before.id)) {
                return Err(format!("no chain: {before:?}, {after:?}"));
            }
        }
        if let Some(newest) = chain.last()
            && newest.replayed_by.is_some()
        {
            return Err(format!("{newest:?} is the newest"));
        }
        let known = || chain.iter().filter_map(|shown| self.deliveries.get(&shown.id));
        if known().any(|delivery| delivery.event != event) {
            return Err(format!("a delivery of {chain:?} was one of another event"));
        }
        // The first one came with its event.
        let new = chain.iter().skip(1).filter(|shown| !self.deliveries.contains_key(&shown.id)).count();
        let open = known().map(|delivery| delivery.open_retries).sum();
        if new > open { Err(format!("of {chain:?} {new} are new, not {open}")) } else { Ok(()) }
    }

    fn compare_state(&self, shown: &Shown) -> Check {
        let fresh = Delivery::new(0, false);
        let possible = self.deliveries.get(&shown.id).unwrap_or(&fresh).possible();
        if possible.contains(shown.state.as_str()) {
            return Ok(());
        }
        Err(format!("delivery {} is {} and not one of {possible:?}", shown.id, shown.state))
    }

    fn compare_pauses(&self, names: &[String]) -> Check {
        let known = self.paused.keys().chain(names);
        for name in known.collect::<BTreeSet<_>>() {
            let is = names.contains(name);
            let may = self.paused.get(name).map_or(!is, |possible| possible.contains(&is));
            if !may {
                return Err(format!("whether {name} is paused: {is}"));
            }
        }
        Ok(())
    }

    fn compare_position(&self, position: i64, fault: Option<&str>) -> Check {
        if let Some(fault) = fault {
            return Err(format!("followed up to {position}: {fault}"));
        }
        if position < self.position {
            return Err(format!("followed up to {position}, it was {}", self.position));
        }
        Ok(())
    }

    /// A record of several changes is there whole or not at all.
    fn compare_records(&self, ids: &BTreeMap<i64, &Shown>) -> Check {
        for record in &self.open_records {
            let mut happened = BTreeSet::new();
            for (id, changed) in record {
                let (Some(shown), Some(delivery)) = (ids.get(id), self.deliveries.get(id)) else { continue };
                let [others @ .., (last, _)] = delivery.history.as_slice() else { continue };
                let told_apart = last == changed && others.iter().all(|(state, _)| state != changed);
                if told_apart {
                    happened.insert(shown.state == *changed);
                }
            }
            if happened.len() == 2 {
                return Err(format!("of the changes {record:?} some were kept"));
            }
        }
        Ok(())
    }

    /// Under one key one event is accepted, or after its removal another.
    fn compare_keys(&self, found: &BTreeMap<u64, &Vec<Shown>>) -> Check {
        let mut owners = BTreeMap::new();
        for number in found.keys() {
            let Some(key) = &self.events[number].key else { continue };
            if let Some(first) = owners.insert(key, number)
                && !self.ever_pruned
            {
                return Err(format!("events {first} and {number} were both accepted under {key}"));
            }
        }
        Ok(())
    }

    fn may_be_pruned(&self, event: u64) -> bool {
        let surely_waited = |delivery: &Delivery| delivery.event == event && delivery.surely_waited();
        self.pruned && !self.deliveries.values().any(surely_waited)
    }

    /// What was found is certain now, and the rest is gone.
    fn begin_anew(&mut self, found: &BTreeMap<u64, &Vec<Shown>>) {
        self.events.retain(|number, _| found.contains_key(number));
        self.deliveries.clear();
        for (number, shown) in found {
            let event = self.events.get_mut(number).expect("it was compared");
            event.must_be = true;
            let first = shown.iter().filter(|delivery| delivery.replay_of.is_none());
            event.deliveries = Some(first.map(|delivery| delivery.id).collect());
            for shown in shown.iter() {
                let mut delivery = Delivery::new(*number, true);
                delivery.history[0].0.clone_from(&shown.state);
                self.deliveries.insert(shown.id, delivery);
            }
            self.ever.insert(*number);
        }
        self.begun.clear();
        self.open_records.clear();
        self.fed.clear();
        self.pruned = false;
    }

    fn enter(&mut self, notes: &[Note]) -> Check {
        let mut begun: BTreeMap<u64, (&Action, i64)> = BTreeMap::new();
        let last_write = last_write_begun(notes);
        for (at, note) in notes.iter().enumerate() {
            match note {
                Note::Begin(number, action) => {
                    begun.insert(*number, (action, self.highest));
                    if let Action::Accept { event, .. } | Action::Follow { event } = action {
                        self.begun.insert(*event);
                    }
                }
                Note::End(number, answer) => {
                    let (action, highest) = begun.remove(number).ok_or("an answer to nothing")?;
                    match answer {
                        // What fails is undone by the next write that succeeds. But rows that were pruned stay pruned
                        // if it is their files that cannot be removed; and what was made of the log may stay.
                        Answer::Error(_)
                            if last_write > Some(at)
                                && !matches!(action, Action::Prune(_) | Action::Follow { .. }) => {}
                        Answer::Error(_) => self.may_have(action),
                        answer => self.has(action, answer, highest)?,
                    }
                }
                Note::Fed(id) => {
                    self.fed.insert(*id);
                }
                _ => {}
            }
        }
        for (action, _) in begun.into_values() {
            self.may_have(action);
        }
        Ok(())
    }

    /// What was answered with a success.
    fn has(&mut self, action: &Action, answer: &Answer, highest: i64) -> Check {
        match (action, answer) {
            (Action::Accept { event, key, .. }, Answer::Accepted { event: of, deliveries, repeated }) => {
                if !repeated {
                    self.accepted(action, deliveries, highest)?;
                } else if of == event || !(self.ever.contains(of) || self.begun.contains(of)) {
                    return Err(format!("event {event} repeats event {of}, which nobody accepted"));
                }
                self.ever.insert(*of);
                if let Some(first) = self.events.get_mut(of) {
                    first.must_be = true;
                    if first.key != *key {
                        return Err(format!("event {event} repeats event {of} of another key"));
                    }
                }
            }
            (Action::Record(changes), _) => self.change(changes, true),
            (Action::Retry(of), Answer::Retried(Some(made))) => {
                let event = self.deliveries.get(of).ok_or("a retry of nothing")?.event;
                self.deliveries.insert(*made, Delivery::new(event, true));
                self.highest = self.highest.max(*made);
            }
            (Action::Follow { event }, Answer::Followed(position)) => {
                self.position = *position;
                self.events.insert(*event, Event::made(true));
                self.ever.insert(*event);
            }
            (Action::Prune(_), _) => (self.pruned, self.ever_pruned) = (true, true),
            (Action::Pause(name, paused), _) => {
                self.paused.insert(name.clone(), BTreeSet::from([*paused]));
            }
            _ => {}
        }
        Ok(())
    }

    fn accepted(&mut self, action: &Action, deliveries: &[i64], highest: i64) -> Check {
        let Action::Accept { event, destinations, body, key } = action else { return Ok(()) };
        if !deliveries.is_sorted() || deliveries.first().is_some_and(|first| *first <= highest) {
            return Err(format!("event {event} got deliveries {deliveries:?}, {highest} was before"));
        }
        for id in deliveries {
            self.deliveries.insert(*id, Delivery::new(*event, true));
            self.highest = self.highest.max(*id);
        }
        let entry = Event {
            must_be: true,
            destinations: destinations.clone(),
            body: *body,
            key: key.clone(),
            deliveries: Some(deliveries.to_vec()),
        };
        self.events.insert(*event, entry);
        self.ever.insert(*event);
        Ok(())
    }

    /// What was not answered, or with an error and nothing after it.
    fn may_have(&mut self, action: &Action) {
        match action {
            Action::Accept { event, destinations, body, key } => {
                let (destinations, body, key) = (destinations.clone(), *body, key.clone());
                // Named by the answer to a repeat, it must be there although its own answer never came.
                let must_be = self.ever.contains(event);
                let entry = Event { must_be, destinations, body, key, deliveries: None };
                self.events.insert(*event, entry);
            }
            Action::Record(changes) => {
                self.change(changes, false);
                self.open_records.push(changes.clone());
            }
            Action::Retry(of) => {
                if let Some(delivery) = self.deliveries.get_mut(of) {
                    delivery.open_retries += 1;
                }
            }
            Action::Follow { event } => {
                self.events.insert(*event, Event::made(false));
            }
            Action::Prune(_) => (self.pruned, self.ever_pruned) = (true, true),
            Action::Pause(name, paused) => {
                let possible = self.paused.entry(name.clone()).or_insert_with(|| BTreeSet::from([false]));
                possible.insert(*paused);
            }
        }
    }

    fn change(&mut self, changes: &[(i64, String)], answered: bool) {
        for (id, state) in changes {
            if let Some(delivery) = self.deliveries.get_mut(id) {
                delivery.history.push((state.clone(), answered));
            }
        }
    }
}

/// Where the last write begins that surely changed something and was answered.
fn last_write_begun(notes: &[Note]) -> Option<usize> {
    let wrote = |number: &u64| {
        notes.iter().any(|note| match note {
            Note::End(ended, answer) if ended == number => match answer {
                Answer::Accepted { repeated, .. } => !repeated,
                Answer::Retried(made) => made.is_some(),
                Answer::Done | Answer::Followed(_) => true,
                Answer::Error(_) => false,
            },
            _ => false,
        })
    };
    notes.iter().rposition(|note| match note {
        Note::Begin(_, Action::Prune(_)) => false,
        Note::Begin(_, Action::Record(changes)) if changes.is_empty() => false,
        Note::Begin(number, _) => wrote(number),
        _ => false,
    })
}

fn compare_waiting(ids: &[i64], found: &BTreeMap<u64, &Vec<Shown>>) -> Check {
    let all = found.values().flat_map(|list| list.iter());
    let waiting = all.filter(|delivery| !state(&delivery.state).is_final());
    let waiting: BTreeSet<i64> = waiting.map(|delivery| delivery.id).collect();
    if waiting.iter().eq(ids) { Ok(()) } else { Err(format!("{ids:?} wait, by their states {waiting:?}")) }
}

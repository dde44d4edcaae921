//! Quiet after a round: everything is delivered, and what is there is judged.

use std::{collections::HashMap, time::Duration};

use tokio::time::{self, Instant};

use super::{
    books::{Account, Answer, is_hopeless},
    trouble::Trouble,
    world::{DESTINATION, WITNESS, World, lanes},
};

/// How long the gateway may take to deliver what it has once nothing is in its way. Longer than anything it waits for.
pub(super) const QUIET_MAX: Duration = Duration::from_secs(60);
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);

impl World {
    /// Waits until nothing waits.
    pub(super) async fn settle(&mut self) {
        let deadline = Instant::now() + QUIET_MAX;
        while let Some(waits) = self.waits().await {
            if Instant::now() > deadline {
                self.round.faults.push(format!("still waits: {waits}"));
                return;
            }
            time::sleep(LOOK_EVERY).await;
        }
    }

    /// Something that waits, if anything does.
    async fn waits(&self) -> Option<String> {
        for (replay, _) in &self.replays {
            let replay = self.get(&format!("replays/{replay}")).await;
            if replay["state"] == "running" {
                return Some(replay.to_string());
            }
        }
        for state in ["pending", "retrying"] {
            let list = self.get(&format!("deliveries?state={state}&limit=1")).await;
            if let Some(delivery) = list["items"].get(0) {
                return Some(delivery.to_string());
            }
        }
        None
    }

    /// Judges what arrived since the last round, and what the gateway says of it.
    pub(super) async fn judge(&mut self, troubles: &[Trouble], before: &[u64]) {
        let killed = troubles.iter().any(|trouble| trouble.kills());
        for (index, name) in [DESTINATION, WITNESS].into_iter().enumerate() {
            for lane in lanes() {
                let arrivals = self.notes[index].take_arrivals(lane);
                let number = usize::try_from(lane).expect("few lanes");
                let replayed = name == DESTINATION && self.replays.iter().any(|(_, of)| *of == lane);
                let account = Account {
                    answers: &self.ledger.answers[number],
                    before: before[number],
                    arrivals: &arrivals,
                    replayed,
                    killed,
                };
                let findings = account.judge();
                let counts = &mut self.round.counts;
                counts.requests += arrivals.len() as u64;
                counts.duplicates += findings.duplicates;
                counts.refused_and_delivered += findings.refused_and_delivered;
                for fault in findings.faults {
                    counts.lost += u64::from(fault.is_loss());
                    counts.reordered += u64::from(fault.is_disorder());
                    self.round.faults.push(format!("{name}, lane {lane}: {fault}"));
                }
            }
            self.round.faults.extend(self.notes[index].take_strange());
        }
        self.round.faults.append(&mut self.ledger.strange);
        self.count_answers(before);
        if self.round.counts.duplicates > 0 && !troubles.iter().any(|trouble| trouble.may_repeat()) {
            self.round.faults.push("something arrived twice although nothing crashed".to_owned());
        }
        self.replays.clear();
        self.judge_states().await;
    }

    fn count_answers(&mut self, before: &[u64]) {
        for (answers, before) in self.ledger.answers.iter().zip(before) {
            for answer in &answers[usize::try_from(*before).expect("few answers")..] {
                match answer {
                    Answer::Accepted => self.round.counts.accepted += 1,
                    Answer::Refused => self.round.counts.refused += 1,
                    Answer::Unknown => {}
                }
            }
        }
    }

    /// What the gateway says became of each delivery must be what the targets saw: taken or given up, never both.
    async fn judge_states(&mut self) {
        for (index, name) in [DESTINATION, WITNESS].into_iter().enumerate() {
            let runs = self.notes[index].runs_by_event();
            let mut first: HashMap<&str, u64> = HashMap::new();
            let deliveries = self.list(&format!("deliveries?destination={name}")).await;
            for delivery in &deliveries {
                let event = delivery["event_id"].as_str().unwrap_or_default();
                let state = delivery["state"].as_str().unwrap_or_default();
                let expected = match runs.get(event) {
                    Some((_, number)) if is_hopeless(*number) => "dead",
                    Some(_) => "delivered",
                    None => "that of something that arrived",
                };
                if state != expected {
                    let fault = format!("{name}: the delivery of {event} is {state}, not {expected}");
                    self.round.faults.push(fault);
                }
                if delivery["replay_of"].is_null() {
                    *first.entry(event).or_default() += 1;
                }
            }
            let twice = first.values().filter(|count| **count > 1).count();
            let missing = runs.keys().filter(|event| !first.contains_key(event.as_str())).count();
            if (twice, missing) != (0, 0) {
                self.round.faults.push(format!("{name}: {twice} events have two deliveries, {missing} none"));
            }
        }
    }
}

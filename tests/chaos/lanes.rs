//! The senders: each posts run after run of its own monitor, one at a time, and notes every answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use postroom_faulty_disk::Random;
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
    time,
};

use super::books::Answer;
use crate::harness::{self, Client};

/// Monitors that send at once.
pub(super) const LANES: u64 = 16;
/// Longest wait between two runs of a monitor.
const PAUSE_MS_MAX: u64 = 25;
/// How long a sender waits when nobody answers, unless it hears of a new gateway before.
const AGAIN: Duration = Duration::from_millis(50);

/// The monitor of a lane.
pub(super) fn monitor(lane: u64) -> String {
    format!("monitor-{lane}")
}

/// The body of a run. Now and then one is too large for a row of the database.
pub(super) fn body(lane: u64, number: u64) -> String {
    let padding = if number % 17 == 5 { 40_000 } else { 0 };
    json!({
        "monitor_uid": monitor(lane),
        "monitor_name": format!("Lane {lane}"),
        "metrics": {"errors": 0, "failedTests": 0, "requestCount": number},
        "padding": format!("{number} ").repeat(padding / 8),
    })
    .to_string()
}

/// The lane and number of a run, if its body is what was sent to the last byte.
pub(super) fn run_of(bytes: &[u8]) -> Option<(u64, u64)> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let lane = value["monitor_uid"].as_str()?.strip_prefix("monitor-")?.parse().ok()?;
    let number = value["metrics"]["requestCount"].as_u64()?;
    (lane < LANES && body(lane, number).as_bytes() == bytes).then_some((lane, number))
}

/// Where the gateway is now. It changes with every start.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    pub(super) client: Client,
    pub(super) hook: Arc<str>,
}

/// What the senders have to show for themselves, kept from round to round.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By lane: how runs 1, 2, 3 … were answered.
    pub(super) answers: Vec<Vec<Answer>>,
    /// Answers that the gateway must not give.
    pub(super) strange: Vec<String>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self { answers: vec![Vec::new(); usize::try_from(LANES).expect("few lanes")], strange: Vec::new() }
    }
}

/// Senders at work.
#[derive(Debug)]
pub(super) struct Senders {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Senders {
    pub(super) fn start(ledger: Ledger, gateway: &watch::Receiver<Gateway>, random: &mut Random) -> Self {
        let (stop, stopped) = watch::channel(false);
        let ledger = Arc::new(Mutex::new(ledger));
        let mut tasks = JoinSet::new();
        for lane in 0..LANES {
            let sender = Sender {
                lane,
                gateway: gateway.clone(),
                stopped: stopped.clone(),
                ledger: Arc::clone(&ledger),
                random: random.split(),
            };
            tasks.spawn(sender.run());
        }
        Self { tasks, stop, ledger }
    }

    /// Lets every sender finish its run, for which the gateway must be there, and gives the ledger back.
    pub(super) async fn stop(self) -> Ledger {
        self.stop.send_replace(true);
        self.tasks.join_all().await;
        std::mem::take(&mut *self.ledger.lock().await)
    }
}

struct Sender {
    lane: u64,
    gateway: watch::Receiver<Gateway>,
    stopped: watch::Receiver<bool>,
    ledger: Arc<Mutex<Ledger>>,
    random: Random,
}

impl Sender {
    /// Every second lane gives its runs an idempotency key, and sends a run again until it is accepted.
    fn repeats(&self) -> bool {
        self.lane.is_multiple_of(2)
    }

    async fn run(mut self) {
        let index = usize::try_from(self.lane).expect("few lanes");
        let mut number = self.ledger.lock().await.answers[index].len() as u64 + 1;
        // A run that was sent and not accepted, where the sender repeats: it is sent again even when all are to stop.
        let mut open = false;
        while open || !*self.stopped.borrow() {
            let Some(answer) = self.send(number).await else {
                self.wait_for_gateway().await;
                continue;
            };
            open = self.repeats() && answer != Answer::Accepted;
            if !open {
                self.ledger.lock().await.answers[index].push(answer);
                number += 1;
            }
            match answer {
                Answer::Accepted => time::sleep(Duration::from_millis(self.random.below(PAUSE_MS_MAX))).await,
                Answer::Refused => time::sleep(AGAIN).await,
                Answer::Unknown => self.wait_for_gateway().await,
            }
        }
    }

    /// `None` when the run did not leave this program.
    async fn send(&mut self, number: u64) -> Option<Answer> {
        let Gateway { client, hook } = self.gateway.borrow_and_update().clone();
        let body = Bytes::from(body(self.lane, number));
        let mut request = client.request(reqwest::Method::POST, &hook).body(body);
        if self.repeats() {
            request = request.header("idempotency-key", format!("{}-{number}", self.lane));
        }
        let answer = match harness::Answer::try_to(request).await {
            Ok(answer) => answer,
            Err(error) => return (!error.is_connect()).then_some(Answer::Unknown),
        };
        match answer.status.as_u16() {
            202 => Some(Answer::Accepted),
            429 | 503 => Some(Answer::Refused),
            _ => {
                let text = format!("lane {}, run {number}: {} {}", self.lane, answer.status, answer.text());
                self.ledger.lock().await.strange.push(text);
                Some(Answer::Unknown)
            }
        }
    }

    async fn wait_for_gateway(&mut self) {
        // Elapsed is as good as a new gateway: either way it is time to try again.
        time::timeout(AGAIN, self.gateway.changed()).await.ok();
    }
}

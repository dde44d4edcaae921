use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Mutex};

use bytes::Bytes;
use postroom_core::{id::EventId, limits};
use tokio::time::Instant;

use super::*;
use crate::{process::pending::Holding, testing::bytes_of, wire::ToChild};

const DONE: EmitReply = EmitReply::Done { event: EventId::from_bytes([1; 16]), repeated: false };
const LIMIT: Duration = Duration::from_secs(5);

/// A store that answers what it is told to, and nothing at all while it has been told nothing.
#[derive(Debug)]
struct Keeper {
    answer: Mutex<Option<EmitReply>>,
    asked: Mutex<usize>,
}

impl PluginEmit for Keeper {
    fn emit(&self, _: Emission) -> Pin<Box<dyn Future<Output = EmitReply> + Send + '_>> {
        *self.asked.lock().unwrap() += 1;
        let answer = *self.answer.lock().unwrap();
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

/// A process that holds delivery 1.
struct Rig {
    desk: EmitDesk,
    keeper: Arc<Keeper>,
    pending: Arc<Pending>,
    answers: mpsc::Receiver<Frame>,
}

impl Rig {
    fn new(answer: Option<EmitReply>) -> Self {
        let keeper = Arc::new(Keeper { answer: Mutex::new(answer), asked: Mutex::new(0) });
        let (replies, answers) = mpsc::channel(WAITING_MAX);
        let shared = Arc::clone(&keeper) as Arc<dyn PluginEmit>;
        let desk = EmitDesk::new(Some(shared), vec![kind()], Arc::default(), replies, LIMIT);
        Self { desk, keeper, pending: Arc::default(), answers }
    }

    /// Has so many events made, all at once.
    async fn make(&mut self, events: u32, token: u64) -> Vec<EmitReply> {
        for nth in 0..events {
            self.desk.take(u64::from(nth), request(token, nth), &self.pending).unwrap();
        }
        let mut replies = Vec::new();
        for _ in 0..events {
            let frame = self.answers.recv().await.unwrap();
            match ToChild::decode(bytes_of(frame)).unwrap() {
                ToChild::EmitReply { reply, .. } => replies.push(reply),
                other => panic!("{other:?}"),
            }
        }
        replies
    }

    fn asked(&self) -> usize {
        *self.keeper.asked.lock().unwrap()
    }
}

fn kind() -> EmittedKind {
    "page_opened".parse().unwrap()
}

fn request(token: u64, nth: u32) -> EmitRequest {
    let none = String::new;
    EmitRequest {
        token,
        nth,
        kind: kind(),
        subject: none(),
        ordering_key: none(),
        verdict: None,
        labels: BTreeMap::new(),
        content_type: none(),
        key: none(),
        body: Bytes::from_static(b"page"),
    }
}

#[tokio::test]
async fn an_event_that_could_not_be_stored_does_not_count() {
    let mut rig = Rig::new(Some(EmitReply::Unavailable));
    let (outgoing, _sent) = mpsc::channel(1);
    let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let holding = Holding { event: EventId::from_bytes([7; 16]), hops: 0, until, until_max: until };
    let _delivery = rig.pending.add(1, holding, slot, &outgoing).unwrap();
    for _ in 0..2 {
        let replies = rig.make(limits::EMITS_PER_DELIVERY_MAX, 1).await;
        assert!(replies.iter().all(|reply| *reply == EmitReply::Unavailable), "{replies:?}");
    }
    *rig.keeper.answer.lock().unwrap() = Some(DONE);
    let replies = rig.make(limits::EMITS_PER_DELIVERY_MAX, 1).await;
    assert!(replies.iter().all(|reply| *reply == DONE), "{replies:?}");
    for _ in 0..2 {
        assert_eq!(rig.make(1, 1).await, [EmitReply::Denied], "as many are made as may be");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_gets_only_so_many_to_do() {
    let mut rig = Rig::new(None);
    for _ in 0..2 {
        let replies = rig.make(40, 0).await;
        assert!(replies.iter().all(|reply| *reply == EmitReply::Unavailable), "{replies:?}");
        assert_eq!(rig.asked(), RUNNING_MAX, "the others were never begun");
    }
}

use std::{
    future::{Future, pending},
    pin::Pin,
};

use super::*;
use crate::{plugin_state::MemoryState, testing::bytes_of, wire::ToChild};

/// A store that never answers.
#[derive(Debug)]
struct Stalled;

impl PluginState for Stalled {
    fn run(&self, _: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>> {
        Box::pin(pending())
    }
}

const LIMIT: Duration = Duration::from_secs(5);

fn desk(state: Option<Arc<dyn PluginState>>) -> (StateDesk, mpsc::Receiver<Frame>) {
    let (replies, frames) = mpsc::channel(REPLIES_MAX);
    (StateDesk::new(state, replies, LIMIT), frames)
}

fn get(key: &str) -> StateOperation {
    StateOperation::Get { key: key.to_owned() }
}

fn put(value: Vec<u8>) -> StateOperation {
    let (key, expected) = ("k".to_owned(), crate::Expected::Any);
    StateOperation::Put { key, value: value.into(), expected, ttl: None }
}

async fn next(frames: &mut mpsc::Receiver<Frame>) -> (u64, StateReply) {
    match ToChild::decode(bytes_of(frames.recv().await.unwrap())).unwrap() {
        ToChild::StateReply { request, reply } => (request, reply),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_carries_the_number_of_its_request() {
    let (desk, mut frames) = desk(Some(Arc::new(MemoryState::default())));
    desk.take(7, put(b"value".to_vec())).unwrap();
    assert_eq!(next(&mut frames).await, (7, StateReply::Done { version: 1, value: "".into() }));
    desk.take(9, get("k")).unwrap();
    assert_eq!(next(&mut frames).await, (9, StateReply::Done { version: 1, value: "value".into() }));
}

#[tokio::test(start_paused = true)]
async fn operations_that_a_store_does_not_answer_are_unavailable_and_give_their_places_back() {
    let (desk, mut frames) = desk(Some(Arc::new(Stalled)));
    for request in 0..WAITING_MAX as u64 {
        desk.take(request, get("k")).unwrap();
    }
    assert!(desk.take(0, get("k")).is_err());
    for _ in 0..WAITING_MAX {
        assert_eq!(next(&mut frames).await.1, StateReply::Unavailable);
    }
    desk.take(0, get("k")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded_by_its_size_too() {
    let (desk, mut frames) = desk(Some(Arc::new(Stalled)));
    let large = || put(vec![0; WAITING_BYTES_MAX / 8]);
    for request in 0..7 {
        desk.take(request, large()).unwrap();
    }
    assert!(desk.take(7, large()).is_err(), "the keys are counted too");
    desk.take(8, get("k")).unwrap();
    next(&mut frames).await;
}

#[tokio::test]
async fn without_a_store_everything_is_unavailable() {
    let (desk, mut frames) = desk(None);
    desk.take(1, get("k")).unwrap();
    assert_eq!(next(&mut frames).await, (1, StateReply::Unavailable));
}

#[tokio::test]
async fn a_process_that_does_not_read_has_no_more_answers_made_than_fit() {
    #[derive(Debug, Default)]
    struct Counting(Mutex<usize>);

    impl PluginState for Counting {
        fn run(&self, _: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>> {
            *self.0.lock().unwrap() += 1;
            Box::pin(std::future::ready(StateReply::NotFound))
        }
    }

    let counting = Arc::new(Counting::default());
    let (desk, mut frames) = desk(Some(Arc::clone(&counting) as Arc<dyn PluginState>));
    for request in 0..1000 {
        desk.take(request, get("k")).unwrap();
    }
    // One thread runs all of this: what can go on has gone on once this has had its turn again and again.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*counting.0.lock().unwrap(), RUNNING_MAX + REPLIES_MAX);
    for _ in 0..1000 {
        next(&mut frames).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_process_asks_for_and_never_reads_does_not_pile_up() {
    let (desk, frames) = desk(Some(Arc::new(Stalled)));
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    for _ in 0..10 {
        // As much as the desk takes.
        while desk.take(0, get("k")).is_ok() {}
        tokio::time::sleep(LIMIT + Duration::from_secs(1)).await;
    }
    let tasks = alive() - before;
    drop(frames);
    assert!(tasks <= WAITING_MAX + REPLIES_MAX, "{tasks} operations wait, or their answers");
}

#[tokio::test(start_paused = true)]
async fn writes_are_spread_and_reads_are_not() {
    let (desk, mut frames) = desk(Some(Arc::new(MemoryState::default())));
    let start = tokio::time::Instant::now();
    let value = || vec![0; 256 * 1024];
    for request in 0..48 {
        desk.take(request, put(value())).unwrap();
    }
    desk.take(48, get("k")).unwrap();
    let mut done = Vec::new();
    for _ in 0..49 {
        let (request, reply) = next(&mut frames).await;
        assert!(matches!(reply, StateReply::Done { .. }), "{reply:?}");
        done.push((request, start.elapsed()));
    }
    let at_once: Vec<u64> =
        done.iter().filter(|(_, after)| after.is_zero()).map(|(request, _)| *request).collect();
    // 8 MiB, less what each write costs beside its value; and the read.
    assert!(at_once.contains(&48) && (32..=33).contains(&at_once.len()), "{at_once:?}");
    let (took, expected) = (start.elapsed(), Duration::from_secs(1));
    assert!(took > expected && took < expected * 2, "4 MiB at 4 MiB a second took {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_did_not_happen_costs_nothing() {
    let (desk, mut frames) = desk(Some(Arc::new(MemoryState::default())));
    let start = tokio::time::Instant::now();
    for request in 0..1000 {
        let (key, expected) = ("k".to_owned(), crate::Expected::Version(7));
        let value = vec![0; 100 * 1024].into();
        desk.take(request, StateOperation::Put { key, value, expected, ttl: None }).unwrap();
        assert!(!matches!(next(&mut frames).await.1, StateReply::Done { .. }));
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

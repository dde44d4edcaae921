use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::*;

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Polls once, as a runtime would that `counter` wakes.
fn poll<F: Future + Unpin>(future: &mut F, counter: &Arc<Counter>) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(&Arc::clone(counter).into()))
}

#[test]
fn wakes_from_another_thread_reach_the_runtime_once() {
    let wakes = Arc::new(Wakes::default());
    let (runtime, tasks) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    let mut passing_on = Box::pin(Arc::clone(&wakes).pass_on());
    for round in 1..3 {
        assert!(poll(&mut passing_on, &runtime).is_pending());
        let (senders, answers): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel::<()>()).unzip();
        let mut waiting: Vec<_> =
            answers.into_iter().map(|answer| Box::pin(Arc::clone(&wakes).gather(answer))).collect();
        assert!(waiting.iter_mut().all(|task| poll(task, &tasks).is_pending()));
        let answering = thread::spawn(|| senders.into_iter().for_each(|sender| sender.send(()).unwrap()));
        answering.join().unwrap();
        assert_eq!(runtime.count(), round, "one wake for all of them");
        assert_eq!(tasks.count(), (round - 1) * 3, "not before they are passed on");
        assert!(poll(&mut passing_on, &runtime).is_pending());
        assert_eq!(tasks.count(), round * 3);
        assert!(waiting.iter_mut().all(|task| poll(task, &tasks) == Poll::Ready(Ok(()))));
    }
}

#[test]
fn a_wake_on_the_tasks_own_thread_goes_straight_to_it() {
    let wakes = Arc::new(Wakes::default());
    let task = Arc::new(Counter::default());
    let (sender, answer) = oneshot::channel::<()>();
    let mut waiting = Box::pin(wakes.gather(answer));
    assert!(poll(&mut waiting, &task).is_pending());
    sender.send(()).unwrap();
    assert_eq!(task.count(), 1);
}

#[test]
fn a_task_that_is_polled_by_another_wakes_that_one() {
    let wakes = Arc::new(Wakes::default());
    let (first, second) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    let (sender, answer) = oneshot::channel::<()>();
    let mut waiting = Box::pin(wakes.gather(answer));
    assert!(poll(&mut waiting, &first).is_pending());
    assert!(poll(&mut waiting, &second).is_pending());
    sender.send(()).unwrap();
    assert_eq!((first.count(), second.count()), (0, 1));
}

#[tokio::test]
async fn no_wake_is_lost_while_they_are_passed_on() {
    const TASKS: usize = 64;
    let wakes = Arc::new(Wakes::default());
    let passing_on = tokio::spawn(Arc::clone(&wakes).pass_on());
    let (senders, answers): (Vec<_>, Vec<_>) = (0..TASKS).map(|_| oneshot::channel()).unzip();
    let waiting = answers.into_iter().map(|answer| tokio::spawn(Arc::clone(&wakes).gather(answer)));
    let waiting: Vec<_> = waiting.collect();
    // Lets all of them wait.
    tokio::task::yield_now().await;
    let answering = thread::spawn(|| {
        for (number, sender) in senders.into_iter().enumerate() {
            sender.send(number).unwrap();
        }
    });
    let answers: Vec<_> = join_all(waiting).await.into_iter().map(|task| task.unwrap().unwrap()).collect();
    assert_eq!(answers, (0..TASKS).collect::<Vec<_>>());
    answering.join().unwrap();
    passing_on.abort();
}

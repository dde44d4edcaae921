use std::{
    collections::HashSet,
    sync::{Barrier, mpsc},
    thread::ThreadId,
};

use super::*;

#[test]
fn all_is_run_by_as_many_threads_as_may_be_and_no_more() {
    const THREADS: usize = 3;
    const JOBS: usize = THREADS * 20;
    let pool = Pool::new(THREADS);
    // Each job waits until so many run at once: with fewer threads this would never end.
    let together = Arc::new(Barrier::new(THREADS));
    let (done, finished) = mpsc::channel::<ThreadId>();
    for _ in 0..JOBS {
        let (together, done) = (Arc::clone(&together), done.clone());
        pool.run(Box::new(move || {
            together.wait();
            done.send(thread::current().id()).unwrap();
        }))
        .unwrap();
    }
    let threads: HashSet<ThreadId> = finished.iter().take(JOBS).collect();
    assert_eq!(threads.len(), THREADS);
}

#[test]
fn a_thread_that_has_nothing_to_do_is_used_again() {
    let pool = Pool::new(8);
    let (done, finished) = mpsc::channel();
    for _ in 0..50 {
        let done = done.clone();
        pool.run(Box::new(move || done.send(()).unwrap())).unwrap();
        finished.recv().unwrap();
        // It has said so before it is back.
        while pool.shared.lock().idle == 0 {
            thread::yield_now();
        }
    }
    assert_eq!(pool.shared.lock().threads, 1);
}

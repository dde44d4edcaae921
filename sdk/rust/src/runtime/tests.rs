use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use super::{RuntimeThread, blocking_threads};

#[test]
fn no_more_threads_block_than_the_manifest_asks_for() {
    for (declared, expected) in
        [(None, 128), (Some(1), 1), (Some(2), 1), (Some(8), 7), (Some(4096), 128), (Some(u64::MAX), 128)]
    {
        assert_eq!(blocking_threads(declared), expected, "{declared:?}");
    }
}

#[test]
fn the_runtime_starts_no_more_threads_than_it_was_given() {
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let runtime = RuntimeThread::start(2, move || {
        count.fetch_add(1, Ordering::Relaxed);
    })
    .unwrap();
    let ended = runtime.run(async {
        // Two at a time: with one thread this would never end.
        let pair = Arc::new(Barrier::new(2));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let pair = Arc::clone(&pair);
                tokio::task::spawn_blocking(move || {
                    pair.wait();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(ended, Some(()));
    runtime.stop();
    assert_eq!(started.load(Ordering::Relaxed), 3, "two, and the one of the instance");
}

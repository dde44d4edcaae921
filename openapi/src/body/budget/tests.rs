use std::{sync::Barrier, thread};

use super::{Budget, Exhausted};

#[test]
fn shares_take_no_more_than_there_is_and_give_it_back() {
    let budget = Budget::new(10);
    let (mut one, mut two) = (budget.share(), budget.share());
    assert_eq!(one.take(6), Ok(()));
    assert_eq!(two.take(5), Err(Exhausted));
    assert_eq!(two.take(4), Ok(()));
    assert_eq!(one.take(1), Err(Exhausted));
    assert_eq!(one.take(0), Ok(()));
    drop(two);
    assert_eq!(one.take(4), Ok(()));
    drop(one);
    assert_eq!(budget.share().take(10), Ok(()));
    assert_eq!(budget.share().take(11), Err(Exhausted));
    assert_eq!(budget.share().take(usize::MAX), Err(Exhausted));
}

#[test]
fn shares_of_many_threads_stay_within_the_budget() {
    let budget = Budget::new(3);
    let barrier = Barrier::new(8);
    let taken = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut share = budget.share();
                    barrier.wait();
                    let taken = share.take(1).is_ok();
                    barrier.wait();
                    taken
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|taken| *taken).count()
    });
    assert_eq!(taken, 3);
    assert_eq!(budget.share().take(3), Ok(()));
}

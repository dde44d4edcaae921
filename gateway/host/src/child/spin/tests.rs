use std::{cell::Cell, time::Duration};

use super::{SPIN, Spin};

const LOOK: Duration = Duration::from_micros(10);

/// Waits for what comes after `comes_after`, when a look takes [`LOOK`] and a sleep as long as it has to; gives how often it
/// looked and whether it slept.
fn wait(spin: &mut Spin, comes_after: Duration) -> (u32, bool) {
    let (clock, looks, slept) = (Cell::new(Duration::ZERO), Cell::new(0), Cell::new(false));
    let look = |(): &mut ()| {
        looks.set(looks.get() + 1);
        let found = clock.get() >= comes_after;
        clock.set(clock.get() + LOOK);
        found.then_some(())
    };
    let sleep = |(): &mut ()| {
        slept.set(true);
        clock.set(clock.get().max(comes_after));
    };
    spin.wait_by(|| clock.get(), &mut (), look, sleep);
    (looks.get(), slept.get())
}

#[test]
fn a_thread_stays_awake_only_after_a_short_wait() {
    let mut spin = Spin { may: true, was_short: false };
    let long = Duration::from_secs(1);
    // What comes seldom costs no look.
    assert_eq!(wait(&mut spin, long), (0, true));
    assert_eq!(wait(&mut spin, long), (0, true));
    // The first short wait is slept through, the ones after it are not.
    assert_eq!(wait(&mut spin, 2 * LOOK), (0, true));
    assert_eq!(wait(&mut spin, 2 * LOOK), (3, false));
    assert_eq!(wait(&mut spin, 2 * LOOK), (3, false));
    // It gives up after a while, and does not begin again.
    assert_eq!(wait(&mut spin, long), (5, true));
    assert_eq!(SPIN, 5 * LOOK);
    assert_eq!(wait(&mut spin, long), (0, true));
}

#[test]
fn on_a_single_core_a_thread_always_sleeps() {
    let mut spin = Spin { may: false, was_short: false };
    for _ in 0..3 {
        assert_eq!(wait(&mut spin, Duration::ZERO), (0, true));
    }
}

#[test]
fn what_is_found_is_given_back() {
    let mut spin = Spin { may: true, was_short: true };
    assert_eq!(spin.wait_by(|| Duration::ZERO, &mut 7, |what| Some(*what), |_| unreachable!()), 7);
    let mut spin = Spin { may: true, was_short: false };
    assert_eq!(spin.wait_by(|| Duration::ZERO, &mut 7, |_| None, |what| *what), 7);
}

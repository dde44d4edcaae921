use super::*;

#[track_caller]
fn check(per_second: u32, step: u32, whole_step_ms: u128) {
    let pace = Pace::of(per_second);
    assert_eq!((pace.step, pace.wait(step.into()).as_millis()), (step, whole_step_ms));
}

#[test]
fn a_pace_keeps_its_rate_in_small_steps() {
    check(1, 1, 1_000);
    check(3, 1, 333);
    check(50, 12, 240);
    check(1_000, 250, 250);
}

#[test]
fn no_rate_is_so_high_that_steps_follow_without_a_wait() {
    check(10_000, 256, 25);
    check(u32::MAX, 256, 10);
}

#[test]
fn a_rate_of_nothing_is_the_slowest() {
    check(0, 1, 1_000);
}

#[test]
fn a_step_that_found_less_waits_less() {
    let pace = Pace::of(50);
    assert_eq!([0, 6, 12, 99].map(|made| pace.wait(made).as_millis()), [10, 120, 240, 240]);
}

use super::Deadline;

#[track_caller]
fn check(mut deadline: Deadline, now: u64, want_ms: u32, answer: (bool, bool), until: u64) {
    assert_eq!((deadline.extend(now, want_ms), deadline.unix_ms), (answer, until));
}

#[test]
fn a_deadline_moves_as_far_as_it_may() {
    let deadline = Deadline { unix_ms: 10_000, max_unix_ms: 60_000 };
    check(deadline, 5_000, 20_000, (true, true), 25_000);
    check(deadline, 5_000, u32::MAX, (true, true), 60_000);
    // It was further already, or by next to nothing nearer.
    check(deadline, 5_000, 1_000, (true, false), 10_000);
    check(deadline, 5_000, 5_249, (true, false), 10_000);
    check(deadline, 5_000, 5_250, (true, true), 10_250);
    let almost = Deadline { unix_ms: 59_900, max_unix_ms: 60_000 };
    check(almost, 5_000, 60_000, (true, true), 60_000);
    let all = Deadline { unix_ms: 60_000, max_unix_ms: 60_000 };
    check(all, 5_000, 1_000, (false, false), 60_000);
}

use super::{Answer::*, *};

/// `1` is an arrival that was taken, `-1` one that was turned away.
fn arrivals(numbers: &[i64]) -> Vec<Arrival> {
    let arrival = |number: &i64| Arrival { number: number.unsigned_abs(), taken: *number > 0 };
    numbers.iter().map(arrival).collect()
}

#[track_caller]
fn check(answers: &[Answer], arrived: &[i64], faults: &[Fault], duplicates: u64) {
    let arrivals = arrivals(arrived);
    let account = Account { answers, before: 0, arrivals: &arrivals, replayed: false, killed: false };
    let findings = account.judge();
    assert_eq!((findings.faults.as_slice(), findings.duplicates), (faults, duplicates), "{arrived:?}");
}

#[test]
fn what_was_acknowledged_must_be_taken() {
    check(&[Accepted; 3], &[1, 2, 3], &[], 0);
    check(&[Accepted; 3], &[1, 2], &[Fault::Lost(3)], 0);
    check(&[Accepted; 3], &[1, 2, -3], &[Fault::Lost(3)], 0);
    check(&[Accepted, Unknown, Accepted], &[1, 3], &[], 0);
    check(&[Accepted, Unknown, Accepted], &[1, 2, 3], &[], 0);
}

#[test]
fn nothing_overtakes() {
    check(&[Accepted; 2], &[-1, -1, 1, 2], &[], 0);
    check(&[Accepted; 2], &[-1, 2, 1], &[reordered(2, 1), reordered(1, 2)], 0);
    check(&[Accepted; 2], &[2, 1], &[reordered(1, 2)], 0);
    // A redelivery repeats; once the next run has begun it would undo that run at the target.
    check(&[Accepted; 2], &[1, 1, 2], &[], 1);
    check(&[Accepted; 2], &[1, 2, 1], &[reordered(1, 2)], 1);
}

fn reordered(number: u64, before: u64) -> Fault {
    Fault::Reordered { number, before }
}

#[test]
fn what_was_refused_or_never_sent_must_not_come() {
    check(&[Accepted, Refused], &[1], &[], 0);
    check(&[Accepted, Refused], &[1, 2], &[Fault::RefusedAndDelivered(2)], 0);
    check(&[Accepted], &[1, 2], &[Fault::NeverSent(2)], 0);
    let arrivals = arrivals(&[1, 2]);
    let account = Account {
        answers: &[Accepted, Refused],
        before: 0,
        arrivals: &arrivals,
        replayed: false,
        killed: true,
    };
    let findings = account.judge();
    assert_eq!((findings.faults, findings.refused_and_delivered), (vec![], 1));
}

#[test]
fn hopeless_runs_come_once_and_hold_nobody_up() {
    assert!(is_hopeless(7));
    check(&[Accepted; 8], &[1, 2, 3, 4, 5, 6, -7, 8], &[], 0);
    check(&[Accepted; 8], &[1, 2, 3, 4, 5, 6, 8], &[Fault::Lost(7)], 0);
}

#[test]
fn runs_of_earlier_rounds_come_again_only_by_a_replay_and_then_all() {
    let judge = |arrived: &[i64], replayed| {
        let arrivals = arrivals(arrived);
        let account =
            Account { answers: &[Accepted; 4], before: 2, arrivals: &arrivals, replayed, killed: false };
        account.judge().faults
    };
    assert_eq!(judge(&[3, 4], false), []);
    assert_eq!(judge(&[3, 2, 4], false), [Fault::Late(2)]);
    assert_eq!(judge(&[3, 1, 4, 2], true), []);
    assert_eq!(judge(&[3, 2, 4, 1], true), [reordered(1, 2)]);
    assert_eq!(judge(&[3, 1, 4], true), [Fault::NotReplayed(2)]);
}

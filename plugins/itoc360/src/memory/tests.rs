use super::*;

const NOW: u64 = 1_000_000;

fn told(failing: bool) -> Told {
    Told {
        fingerprint: "m".to_owned(),
        name: None,
        failing,
        in_doubt: false,
        severity: Severity::Error,
        since_unix_ms: 500,
        turned_by: "turn".to_owned(),
        last_unix_ms: 700,
        last_in_order: String::new(),
    }
}

fn at(event: &str, received_unix_ms: u64) -> Moment<'_> {
    Moment { event, received_unix_ms, in_order: "", now_unix_ms: NOW }
}

#[track_caller]
fn check(told: Option<&Told>, status: Status, moment: Moment<'_>, every_run: Step, changes: Step) {
    let steps = [Extent::EveryRun, Extent::Changes].map(|send| step(told, status, moment, send));
    assert_eq!(steps, [every_run, changes], "{told:?} {status:?} {moment:?}");
}

#[test]
fn a_first_run_is_a_change_only_if_it_failed() {
    check(None, Status::Firing, at("e", 1), Step::Tell, Step::Tell);
    check(None, Status::Resolved, at("e", 1), Step::Tell, Step::Known);
}

#[test]
fn a_change_is_a_verdict_that_itoc360_does_not_know() {
    check(Some(&told(true)), Status::Resolved, at("e", 800), Step::Tell, Step::Tell);
    check(Some(&told(true)), Status::Firing, at("e", 800), Step::Tell, Step::Known);
    check(Some(&told(false)), Status::Firing, at("e", 800), Step::Tell, Step::Tell);
    check(Some(&told(false)), Status::Resolved, at("e", 800), Step::Tell, Step::Known);
}

#[test]
fn what_itoc360_may_have_taken_is_settled_by_the_next_event_whatever_it_says() {
    for failing in [true, false] {
        let doubtful = Told { in_doubt: true, ..told(failing) };
        for status in [Status::Firing, Status::Resolved] {
            check(Some(&doubtful), status, at("e", 800), Step::Tell, Step::Tell);
        }
    }
}

#[test]
fn an_older_event_undoes_nothing() {
    for status in [Status::Firing, Status::Resolved] {
        for failing in [true, false] {
            check(Some(&told(failing)), status, at("e", 699), Step::TooOld, Step::TooOld);
        }
    }
    // Of the same moment: the lane has them in order.
    check(Some(&told(true)), Status::Resolved, at("e", 700), Step::Tell, Step::Tell);
}

#[test]
fn of_what_the_gateway_made_in_the_same_moment_the_older_undoes_nothing() {
    let knows_b = |failing| Told { last_in_order: "b".to_owned(), ..told(failing) };
    let made = |event| Moment { in_order: event, ..at(event, 700) };
    check(Some(&knows_b(false)), Status::Firing, made("a"), Step::TooOld, Step::TooOld);
    check(Some(&knows_b(true)), Status::Resolved, made("a"), Step::TooOld, Step::TooOld);
    check(Some(&knows_b(false)), Status::Firing, made("c"), Step::Tell, Step::Tell);
    check(Some(&knows_b(false)), Status::Resolved, made("b"), Step::Tell, Step::Known);
}

#[test]
fn the_event_that_made_it_so_may_go_again() {
    check(Some(&told(true)), Status::Firing, at("turn", 500), Step::Tell, Step::Tell);
    check(Some(&told(false)), Status::Firing, at("turn", 500), Step::TooOld, Step::TooOld);
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let ahead = Told { last_unix_ms: NOW + 1, ..told(true) };
    check(Some(&ahead), Status::Resolved, at("e", NOW), Step::Tell, Step::Tell);
}

#[test]
fn keys_fit_and_differ() {
    let long = "ü".repeat(300);
    let keys = ["m", "a\nb", "a b", &long, &format!("{long}x")].map(key);
    for key in &keys {
        assert!(key.len() <= 256 && !key.contains('\n'), "{key}");
    }
    assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), keys.len());
    assert_eq!(keys[0], "told/m");
}

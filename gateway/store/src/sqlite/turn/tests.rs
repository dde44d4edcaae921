use super::*;

const DUE: u64 = 100;
const RESTART: u64 = 150;
const OVERDUE: u64 = 200;
const FULL: u64 = 1000;

/// A log that is due at a hundred pages, may start again at a hundred and fifty, is overdue at two hundred and is full at a thousand.
fn ready() -> Ready {
    let connection = Connection::open_in_memory().unwrap();
    let frame_bytes = Ready::new(connection, 0, Tuning::default()).unwrap().frame_bytes;
    let tuning = Tuning {
        log_due_bytes: DUE * frame_bytes,
        log_restart_bytes: RESTART * frame_bytes,
        log_overdue_bytes: OVERDUE * frame_bytes,
        log_full_bytes: FULL * frame_bytes,
        ..Tuning::default()
    };
    Ready::new(Connection::open_in_memory().unwrap(), 0, tuning).unwrap()
}

/// Expects that the log is made to start again from `pages` on, and not a page before.
#[track_caller]
fn check_overdue_from(ready: &Ready, pages: u64) {
    for (pages, overdue) in [(pages - 1, false), (pages, true), (pages + 1, true)] {
        ready.pages.store(pages, Ordering::Relaxed);
        assert_eq!(ready.is_overdue(), overdue, "at {pages} pages");
    }
}

#[test]
fn a_log_may_start_again_when_it_is_some_moves_long() {
    let ready = ready();
    for (pages, may) in [(DUE, false), (RESTART - 1, false), (RESTART, true), (FULL, true)] {
        ready.pages.store(pages, Ordering::Relaxed);
        assert_eq!(ready.may_start_again(), may, "at {pages} pages");
    }
}

#[test]
fn a_log_that_is_overdue_is_made_to_start_again() {
    let ready = ready();
    check_overdue_from(&ready, OVERDUE);
}

#[test]
fn after_a_wait_in_vain_only_a_log_of_twice_the_length_or_a_full_one_is() {
    let mut ready = ready();
    for refused_at in [OVERDUE, 3 * DUE] {
        ready.pages.store(refused_at, Ordering::Relaxed);
        ready.restart_refused();
        check_overdue_from(&ready, 2 * refused_at);
    }
    ready.pages.store(FULL - 1, Ordering::Relaxed);
    ready.restart_refused();
    check_overdue_from(&ready, FULL);
}

#[test]
fn a_log_that_has_started_again_forgets_the_wait_in_vain() {
    let mut ready = ready();
    ready.pages.store(4 * DUE, Ordering::Relaxed);
    ready.restart_refused();
    ready.moved(Move { pages: 4 * DUE, left: 1, starts_again: false });
    ready.pages.store(DUE, Ordering::Relaxed);
    assert!(ready.is_due());
    check_overdue_from(&ready, OVERDUE);
}

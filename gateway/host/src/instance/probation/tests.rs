use std::{sync::Arc, time::Duration};

use postroom_core::outcome::{Outcome, OutcomeKind};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use super::*;

fn event(number: u16) -> EventId {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    EventId::from_bytes(bytes)
}

fn crashed() -> Delivered {
    Delivered::Outcome(Outcome::retry("plugin_crashed", "the plugin process ended"))
}

fn delivered() -> Delivered {
    Delivered::Outcome(Outcome::of(OutcomeKind::Delivered))
}

fn by_itself(alone: bool) -> Option<Ending> {
    Some(Ending::ByItself { alone, exit: Exit::Signal(6) })
}

#[track_caller]
fn check_kind(delivered: Delivered, expected: OutcomeKind) -> Outcome {
    let Delivered::Interrupted(outcome) = delivered else { panic!("{delivered:?}") };
    assert_eq!((outcome.kind, &*outcome.code), (expected, "plugin_crashed"));
    outcome
}

impl Probation {
    /// Whether the event would have to be alone.
    fn suspects_event(&self, event: EventId) -> bool {
        self.suspects().must_be_alone(event)
    }

    /// The process ended while it held these.
    fn crash(&self, events: &[EventId]) {
        for event in events {
            self.came_back(*event, crashed(), by_itself(events.len() == 1));
        }
    }
}

/// Goes in, stays for a second, and comes out well; notes both.
async fn visit(probation: Arc<Probation>, number: u16, notes: mpsc::UnboundedSender<(u16, bool)>) {
    let pass = probation.enter(event(number)).await;
    notes.send((number, true)).unwrap();
    sleep(Duration::from_secs(1)).await;
    notes.send((number, false)).unwrap();
    drop(pass);
    probation.came_back(event(number), delivered(), None);
}

#[tokio::test(start_paused = true)]
async fn a_suspect_is_alone_and_others_get_their_turn_between_suspects() {
    let probation = Arc::new(Probation::default());
    probation.crash(&[event(1), event(2)]);
    let (notes, mut noted) = mpsc::unbounded_channel();
    let mut visits = tokio::task::JoinSet::new();
    for number in [10, 1, 11, 12, 2, 13] {
        visits.spawn(visit(Arc::clone(&probation), number, notes.clone()));
        tokio::task::yield_now().await;
    }
    visits.join_all().await;
    drop(notes);
    let mut seen = Vec::new();
    while let Some(note) = noted.recv().await {
        seen.push(note);
    }
    let alone = |number| [(number, true), (number, false)];
    assert_eq!(seen[..4], [alone(10), alone(1)].concat());
    let both: Vec<u16> = seen[4..6].iter().map(|(number, _)| *number).collect();
    assert_eq!(both, [11, 12], "side by side");
    assert_eq!(seen[8..], [alone(2), alone(13)].concat());
}

#[tokio::test(start_paused = true)]
async fn waiting_to_be_alone_can_be_given_up_and_lets_the_others_in() {
    let probation = Probation::default();
    probation.crash(&[event(1), event(2)]);
    let inside = probation.enter(event(10)).await;
    let began = Instant::now();
    assert!(timeout(Duration::from_secs(30), probation.enter(event(1))).await.is_err());
    assert_eq!(began.elapsed(), Duration::from_secs(30));
    let beside = timeout(Duration::from_secs(1), probation.enter(event(11))).await.unwrap();
    drop((inside, beside));
    assert!(matches!(probation.enter(event(1)).await, Pass::Alone { .. }));
}

/// Where every delivery takes longer than a suspect waits, it would wait for ever.
#[tokio::test(start_paused = true)]
async fn a_suspect_that_never_finds_the_plugin_empty_goes_beside_others() {
    let probation = Probation::default();
    probation.crash(&[event(1), event(2)]);
    let _inside = probation.enter(event(10)).await;
    for _ in 0..VAIN_WAITS_MAX {
        assert!(timeout(Duration::from_secs(30), probation.enter(event(1))).await.is_err());
        probation.waited_in_vain(event(1));
    }
    let pass = timeout(Duration::from_secs(1), probation.enter(event(1))).await.unwrap();
    assert!(matches!(pass, Pass::Shared { .. }));
    drop(pass);
    probation.crash(&[event(1), event(10)]);
    assert!(probation.suspects_event(event(1)), "and is a suspect anew if the process ends again");
}

#[test]
fn what_gets_through_is_cleared_however_it_ends() {
    let probation = Probation::default();
    for kind in OutcomeKind::ALL {
        probation.crash(&[event(1), event(2)]);
        let outcome = Delivered::Outcome(Outcome::of(kind));
        assert_eq!(probation.came_back(event(1), outcome.clone(), None), outcome);
        assert!(!probation.suspects_event(event(1)), "{kind}");
    }
    probation.crash(&[event(1), event(2)]);
    assert_eq!(probation.came_back(event(1), Delivered::NotAccepted, None), Delivered::NotAccepted);
    assert!(probation.suspects_event(event(1)), "it never was inside");
    assert!(probation.suspects_event(event(2)));
}

#[test]
fn an_event_that_ends_the_process_alone_three_times_is_given_up() {
    let probation = Probation::default();
    check_kind(probation.came_back(event(1), crashed(), by_itself(false)), OutcomeKind::Retry);
    for _ in 0..2 {
        check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Retry);
        assert!(probation.suspects_event(event(1)));
    }
    let outcome =
        check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Permanent);
    for expected in ["ended 3 times", "signal 6", "replay it"] {
        assert!(outcome.message.contains(expected), "{}", outcome.message);
    }
    // Whoever replays it has mended something, and it is tried like any other.
    assert!(!probation.suspects_event(event(1)));
    check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Retry);
}

#[test]
fn the_first_end_counts_if_the_event_was_alone_then() {
    let probation = Probation::default();
    for _ in 0..2 {
        check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Retry);
    }
    check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Permanent);
}

#[test]
fn ends_in_company_count_for_nobody() {
    let probation = Probation::default();
    for _ in 0..10 {
        check_kind(probation.came_back(event(1), crashed(), by_itself(false)), OutcomeKind::Retry);
    }
}

#[test]
fn what_the_gateway_ends_makes_no_suspects_and_clears_none() {
    let probation = Probation::default();
    check_kind(probation.came_back(event(1), crashed(), Some(Ending::ByGateway)), OutcomeKind::Retry);
    assert!(!probation.suspects_event(event(1)));
    probation.crash(&[event(2), event(3)]);
    check_kind(probation.came_back(event(2), crashed(), Some(Ending::ByGateway)), OutcomeKind::Retry);
    assert!(probation.suspects_event(event(2)));
}

#[test]
fn an_attempt_that_somebody_cancelled_counts_and_stays_cancelled() {
    let probation = Probation::default();
    for _ in 0..ENDS_MAX {
        let back = probation.came_back(event(1), Delivered::Cancelled, by_itself(true));
        assert_eq!(back, Delivered::Cancelled);
    }
    check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Retry);
}

#[test]
fn another_plugin_begins_with_a_clean_sheet() {
    let probation = Probation::default();
    for _ in 1..ENDS_MAX {
        probation.crash(&[event(1)]);
    }
    probation.forgive();
    assert!(probation.suspects_event(event(1)));
    for _ in 1..ENDS_MAX {
        check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Retry);
    }
    check_kind(probation.came_back(event(1), crashed(), by_itself(true)), OutcomeKind::Permanent);
}

#[test]
fn suspicions_are_bounded_and_the_oldest_goes_first() {
    let probation = Probation::default();
    let many = u16::try_from(SUSPECTS_MAX).unwrap();
    for number in 0..=many {
        probation.crash(&[event(number), event(number)]);
    }
    assert_eq!(probation.suspects().by_event.len(), SUSPECTS_MAX);
    assert!(!probation.suspects_event(event(0)));
    assert!(probation.suspects_event(event(1)) && probation.suspects_event(event(many)));
    // One that is suspected again is young again.
    probation.crash(&[event(1), event(2)]);
    probation.crash(&[event(u16::MAX), event(u16::MAX)]);
    assert!(probation.suspects_event(event(1)) && !probation.suspects_event(event(3)));
}

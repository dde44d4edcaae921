//! What holds for any sequence of runs, ticks, mutes, policies and times.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::schedule::Schedule;

#[derive(Debug, Clone)]
enum Op {
    Run {
        verdict: Verdict,
        requests: Option<u32>,
        read_late_s: i64,
    },
    Tick,
    /// A tick when it is due.
    Due,
    Mute {
        for_s: i64,
    },
    Unmute,
    Policy(usize),
    /// The gateway was away for so long.
    Away {
        for_s: i64,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let verdict = prop::sample::select(&Verdict::ALL[..]);
    prop_oneof![
        10 => (verdict, prop::option::of(0..3_u32), prop_oneof![9 => Just(0), 1 => 0..20_000_i64])
            .prop_map(|(verdict, requests, read_late_s)| Op::Run { verdict, requests, read_late_s }),
        2 => Just(Op::Tick),
        3 => Just(Op::Due),
        1 => (0..40_000_i64).prop_map(|for_s| Op::Mute { for_s }),
        1 => Just(Op::Unmute),
        1 => (0..3_usize).prop_map(Op::Policy),
        1 => (0..40_000_i64).prop_map(|for_s| Op::Away { for_s }),
    ]
}

fn treat() -> impl Strategy<Value = Treat> {
    prop::sample::select(&[Treat::Ignore, Treat::Fail, Treat::AsReported][..])
}

fn policy() -> impl Strategy<Value = Policy> {
    let flap = prop::option::of((0..6_u32, 0..40_u32).prop_map(|(changes, of)| Flap { changes, of }));
    let silence = prop_oneof![
        Just(Silence::Learned),
        Just(Silence::Never),
        (0..50_000_u64).prop_map(|after| Silence::After(seconds(after))),
    ];
    let windows = prop::sample::select(&["mon-sun 00:00-24:00", "22:00-06:00", "thu,sun 00:00-12:00"][..]);
    let maintenance = prop::option::of(windows).prop_map(|window| {
        window.map(|window| Arc::new(Schedule::parse(&[window], "Europe/Berlin").unwrap()))
    });
    let remind = prop::option::of((0..50_000_u64).prop_map(seconds));
    (0..4_u32, 0..4_u32, remind, flap, treat(), treat(), silence, maintenance).prop_map(
        |(open_after, resolve_after, remind_every, flap, empty_runs, unknown_runs, silence, maintenance)| {
            Policy {
                open_after,
                resolve_after,
                remind_every,
                flap,
                empty_runs,
                unknown_runs,
                silence,
                maintenance,
                ..Policy::default()
            }
        },
    )
}

/// Mostly forward, now and then back, and over the ends of what the calendar knows.
fn pass_s() -> impl Strategy<Value = i64> {
    prop_oneof![
        10 => 0..10_000_i64,
        5 => Just(300_i64),
        2 => 0..1_000_000_i64,
        1 => -500_000..0_i64,
        1 => prop::sample::select(&[i64::MIN / 2000, i64::MAX / 2000, -1][..]),
    ]
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(now.as_unix_ms().saturating_add(seconds.saturating_mul(1000)))
}

/// What was told of a monitor.
#[derive(Default)]
struct Told {
    open: Option<IncidentId>,
    untold: Option<IncidentId>,
    silent: bool,
}

impl Told {
    #[track_caller]
    fn hear(&mut self, effect: &Effect) {
        match effect {
            Effect::Opened(incident) if incident.announced => {
                assert_eq!(self.open, None, "opened twice");
                assert!(self.untold.is_none_or(|untold| untold == incident.id));
                (self.open, self.untold) = (Some(incident.id), None);
            }
            Effect::Opened(incident) => {
                assert_eq!((self.open, self.untold), (None, None), "opened within another");
                self.untold = Some(incident.id);
            }
            Effect::Reminder(incident) => {
                assert_eq!(self.open, Some(incident.id), "of one that was not told")
            }
            Effect::Resolved { incident, .. } => {
                let open = if incident.announced { &mut self.open } else { &mut self.untold };
                assert_eq!(open.take(), Some(incident.id), "resolved without being open");
                assert!(incident.failed_runs >= 1 && incident.failed_runs < incident.runs);
            }
            Effect::Silent { .. } => assert!(!std::mem::replace(&mut self.silent, true), "silent twice"),
            Effect::Resumed { .. } => assert!(std::mem::take(&mut self.silent), "resumed without silence"),
        }
    }

    #[track_caller]
    fn agrees_with(&self, monitor: &Monitor) {
        let open = monitor.track.incident.as_ref();
        assert_eq!(open.filter(|incident| incident.announced).map(|incident| incident.id), self.open);
        assert_eq!(open.filter(|incident| !incident.announced).map(|incident| incident.id), self.untold);
        assert_eq!(monitor.cadence.silence_announced, self.silent);
        assert_eq!(open.is_some(), matches!(monitor.track.phase, Phase::Open | Phase::Recovering));
        assert!(monitor.cadence.gaps_s.len() <= Cadence::GAPS_MAX);
        assert!(monitor.cadence.pauses.len() <= Cadence::PAUSES_MAX);
    }
}

fn play(policies: &[Policy], ops: &[(i64, Op)]) {
    let mut tracked = Tracked::new(policies[0].clone());
    let (mut told, mut now) = (Told::default(), second(1_760_000_000));
    for (pass, op) in ops {
        now = later(now, *pass);
        let effects = match op {
            Op::Run { verdict, requests, read_late_s } => {
                let numbers = Numbers { requests: *requests, ..Numbers::default() };
                let at = later(now, -read_late_s);
                let run = Run { event: event(tracked.steps), at, verdict: *verdict, numbers };
                tracked.step(Input::Run(&run), now)
            }
            Op::Tick => tracked.tick(now),
            Op::Due => {
                let Some(due) = tracked.due(now) else { continue };
                now = now.max(due);
                tracked.tick(now)
            }
            Op::Mute { for_s } => {
                tracked.monitor.mute =
                    Some(Mute { until: later(now, *for_s), by: "ops".to_owned(), reason: None });
                continue;
            }
            Op::Unmute => {
                tracked.monitor.mute = None;
                continue;
            }
            Op::Policy(index) => {
                tracked.policy = policies[index % policies.len()].clone();
                continue;
            }
            Op::Away { for_s } => {
                tracked.watch.away(now, later(now, *for_s));
                assert!(tracked.watch.absences().len() <= Watch::ABSENCES_MAX);
                now = later(now, *for_s);
                continue;
            }
        };
        effects.iter().for_each(|effect| told.hear(effect));
        told.agrees_with(&tracked.monitor);
        if !matches!(op, Op::Run { .. }) {
            let due = tracked.due(now);
            assert!(due.is_none_or(|due| due > now), "a tick leaves nothing to do: {due:?} at {now:?}");
            // Whoever ticks before it is due hears nothing.
            let before = due.map_or(now, |due| Timestamp::from_unix_ms(due.as_unix_ms() - 1));
            assert_eq!(tracked.tick(before.min(now.plus(seconds(600_000)))), []);
        }
    }
}

proptest! {
    #[test]
    fn what_is_told_alternates(
        policies in prop::collection::vec(policy(), 1..3),
        ops in prop::collection::vec((pass_s(), op()), 0..200),
    ) {
        play(&policies, &ops);
    }

    /// A failed run opens, a passed one resolves, an unknown one does nothing: what ITOC360 does itself.
    #[test]
    fn the_default_policy_is_what_itoc360_does(
        verdicts in prop::collection::vec(prop::sample::select(&Verdict::ALL[..]), 0..100),
    ) {
        let mut tracked = Tracked::new(Policy::default());
        let mut open = false;
        for (at, verdict) in (0..).zip(verdicts) {
            let expected = match verdict {
                Verdict::Failed if !open => "OPENED",
                Verdict::Passed if open => "RESOLVED",
                _ => "",
            };
            open = verdict == Verdict::Failed || (open && verdict != Verdict::Passed);
            prop_assert_eq!(words(&tracked.run(verdict, second(at))), expected);
            prop_assert_eq!(tracked.monitor.track.incident.is_some(), open);
        }
    }

    #[test]
    fn thresholds_count_runs_in_a_row(
        (open_after, resolve_after) in (1..4_usize, 1..4_usize),
        fails in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let (opens, resolves) = (u32::try_from(open_after).unwrap(), u32::try_from(resolve_after).unwrap());
        let mut tracked = Tracked::new(Policy { open_after: opens, resolve_after: resolves, ..Policy::default() });
        let mut open = false;
        for end in 1..=fails.len() {
            let (ran, failed) = (&fails[..end], fails[end - 1]);
            let row = ran.iter().rev().take_while(|fails| **fails == failed).count();
            open = if failed { open || row >= open_after } else { open && row < resolve_after };
            let at = i64::try_from(end).unwrap();
            tracked.run(if failed { Verdict::Failed } else { Verdict::Passed }, second(at));
            prop_assert_eq!(tracked.monitor.track.incident.is_some(), open);
        }
    }
}

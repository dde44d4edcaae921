use super::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// A Monday, midnight by UTC.
const MONDAY: i64 = 1_790_553_600;

/// A monitor with a run every `every` seconds, for `span` seconds from Monday on; gives the last run.
fn regular(every: i64, span: i64) -> (Tracked, i64) {
    let mut tracked = Tracked::new(Policy::default());
    let mut last = MONDAY;
    while last <= MONDAY + span {
        assert_eq!(words(&tracked.run(Verdict::Passed, second(last))), "");
        last += every;
    }
    (tracked, last - every)
}

/// After a month of runs every `every` seconds, silence is told `after` seconds.
#[track_caller]
fn check(every: i64, after: i64) {
    let (mut tracked, last) = regular(every, 35 * DAY);
    assert_eq!(tracked.due(second(last)), Some(second(last + after)));
    assert_eq!(words(&tracked.tick(second(last + after - 1))), "");
    let effects = tracked.tick(second(last + after));
    let expected_every = seconds(every.unsigned_abs());
    assert_eq!(effects, [Effect::Silent { since: second(last), expected_every }]);
    assert_eq!(tracked.due(second(last + after)), None);
    let effects = tracked.run(Verdict::Passed, second(last + 100 * DAY));
    assert_eq!(effects, [Effect::Resumed { silent_since: second(last), gap: seconds(100 * 86_400) }]);
}

#[test]
fn an_even_rhythm_is_missed_within_an_interval() {
    check(5 * MINUTE, 8 * MINUTE + 20);
    check(HOUR, HOUR + 40 * MINUTE);
    check(DAY, DAY + 2 * HOUR);
    check(7 * DAY, 7 * DAY + 2 * HOUR);
}

#[test]
fn a_young_monitor_is_given_time() {
    // Three runs say nothing.
    let (tracked, last) = regular(5 * MINUTE, 15 * MINUTE);
    assert_eq!(tracked.due(second(last)), None);
    // Half a day says nothing about nights.
    let (tracked, last) = regular(5 * MINUTE, 12 * HOUR);
    assert_eq!(tracked.due(second(last)), Some(second(last + 84 * HOUR)));
    // From Wednesday on it is known that there are none.
    let (tracked, last) = regular(5 * MINUTE, 2 * DAY);
    assert_eq!(tracked.due(second(last)), Some(second(last + 500)));
    // What rests on Friday may do so for a weekend.
    let (tracked, last) = regular(5 * MINUTE, 4 * DAY);
    assert_eq!(tracked.due(second(last)), Some(second(last + 84 * HOUR)));
    let (tracked, last) = regular(5 * MINUTE, 11 * DAY);
    assert_eq!(tracked.due(second(last)), Some(second(last + 500)));
}

#[test]
fn a_configured_interval_needs_no_learning() {
    let mut tracked = Tracked::new(Policy { silence: Silence::After(seconds(900)), ..Policy::default() });
    tracked.run(Verdict::Passed, second(MONDAY));
    assert_eq!(tracked.due(second(MONDAY)), Some(second(MONDAY + 900)));
    assert_eq!(words(&tracked.tick(second(MONDAY + 900))), "SILENT");
    // The gateway was away and may have missed a run.
    tracked.run(Verdict::Passed, second(MONDAY + 1000));
    tracked.watch = away(MONDAY + 1100, MONDAY + 5000);
    assert_eq!(words(&tracked.tick(second(MONDAY + 5000))), "");
    assert_eq!(tracked.due(second(MONDAY + 5000)), Some(second(MONDAY + 5900)));
}

#[test]
fn silence_can_be_of_no_interest() {
    let (mut tracked, last) = regular(5 * MINUTE, 35 * DAY);
    tracked.policy.silence = Silence::Never;
    assert_eq!(tracked.due(second(last)), None);
    assert_eq!(words(&tracked.tick(second(last + 100 * DAY))), "");
}

#[test]
fn a_gateway_that_was_away_waits_anew() {
    let (mut tracked, last) = regular(5 * MINUTE, 35 * DAY);
    let back = last + 10 * HOUR;
    tracked.watch = away(last + 60, back);
    assert_eq!(words(&tracked.tick(second(back))), "");
    assert_eq!(tracked.due(second(back)), Some(second(back + 500)));
    // The gap teaches nothing.
    tracked.run(Verdict::Passed, second(back + 100));
    tracked.run(Verdict::Passed, second(back + 400));
    assert_eq!(tracked.due(second(back + 400)), Some(second(back + 900)));
    assert!(tracked.monitor.cadence.pauses.iter().all(|pause| !pause.is_heard));
}

#[test]
fn restarts_between_rare_runs_do_not_hide_silence() {
    let (mut tracked, last) = regular(7 * DAY, 35 * DAY);
    for day in 1..7 {
        let back = last + day * DAY;
        tracked.watch.away(second(back - 20), second(back));
        assert_eq!(tracked.due(second(back)), Some(second(last + 7 * DAY + 2 * HOUR)));
    }
}

#[test]
fn nights_and_weekends_are_learned_in_two_weeks() {
    let mut tracked = Tracked::new(Policy::default());
    let mut last = 0;
    let days = (0..26).filter(|day| day % 7 < 5);
    for at in days.flat_map(|day| (8..=18).map(move |hour| MONDAY + day * DAY + hour * HOUR)) {
        assert_eq!(words(&tracked.run(Verdict::Passed, second(at))), "");
        last = at;
        if at < MONDAY + 15 * DAY {
            continue;
        }
        let next = match (at - MONDAY) / HOUR % 24 {
            18 if (at - MONDAY) / DAY % 7 == 4 => at + 62 * HOUR + 75 * MINUTE,
            18 => at + 14 * HOUR + 75 * MINUTE,
            // An hour before the rest it may be the rest already, where clocks were set forward.
            17 => continue,
            _ => at + HOUR + 40 * MINUTE,
        };
        assert_eq!(tracked.due(second(at)), Some(second(next)));
    }
    assert_eq!((last - MONDAY) / DAY, 25);
}

#[test]
fn a_new_rhythm_is_called_silence_once() {
    let (mut tracked, mut last) = regular(5 * MINUTE, 35 * DAY);
    let mut silences = 0;
    for _ in 0..200 {
        let next = last + HOUR;
        while let Some(due) = tracked.due(second(last)).filter(|due| *due < second(next)) {
            silences += tracked.tick(due).len();
        }
        tracked.run(Verdict::Passed, second(next));
        last = next;
    }
    assert_eq!(silences, 1);
    assert_eq!(tracked.due(second(last)), Some(second(last + HOUR + 40 * MINUTE)));
}

#[test]
fn what_has_no_rhythm_is_given_three_times_its_longest_pause() {
    let mut tracked = Tracked::new(Policy::default());
    let (mut last, mut state) = (MONDAY, 7_u64);
    let mut silences = 0;
    for _ in 0..1000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Exponential: most follow each other closely, some come days later.
        let random = ((state >> 33) as f64 + 1.0) / f64::from(1_u32 << 31);
        #[expect(clippy::cast_possible_truncation, reason = "a few days in seconds")]
        let gap = (-random.ln() * 3.0 * HOUR as f64) as i64 + 1;
        let next = second(last + gap);
        silences +=
            tracked.due(second(last)).filter(|due| *due < next).map_or(0, |due| tracked.tick(due).len());
        tracked.run(Verdict::Passed, next);
        last += gap;
    }
    assert_eq!(silences, 0);
    let pauses = &tracked.monitor.cadence.pauses;
    let longest = i64::from(pauses.iter().map(|pause| pause.gap_s).max().unwrap());
    assert_eq!(tracked.due(second(last)), Some(second(last + 3 * longest)));
}

#[test]
fn postmans_other_policy_is_never_silent() {
    let mut tracked = Tracked::new(Policy::default());
    let mut at = MONDAY;
    for round in 0..40 {
        let verdict = if round % 2 == 0 { Verdict::Failed } else { Verdict::Passed };
        tracked.run(verdict, second(at));
        at += [900, 40 * HOUR, 300, 500 * HOUR, 7200, 90 * HOUR][round % 6];
    }
    assert_eq!(tracked.monitor.track.policy_hint, PolicyHint::FailuresThenSuccess);
    assert_eq!(tracked.due(second(at)), None);
}

#[test]
fn people_are_shown_when_the_next_run_is_expected() {
    let (tracked, _) = regular(5 * MINUTE, 35 * DAY);
    let with = |silence| Policy { silence, ..Policy::default() };
    let expected = |silence| tracked.monitor.expected_every(&with(silence));
    assert_eq!(expected(Silence::Learned), Some(seconds(300)));
    assert_eq!(expected(Silence::After(seconds(900))), Some(seconds(900)));
    assert_eq!(expected(Silence::Never), None);
    let fresh = Tracked::new(Policy::default());
    assert_eq!(fresh.monitor.expected_every(&fresh.policy), None);
}

#[test]
fn a_silence_ends_when_settings_allow_more_time() {
    let limit = |hours: i64| Silence::After(seconds((hours * HOUR).unsigned_abs()));
    let silent = || {
        let mut tracked = Tracked::new(Policy { silence: limit(1), ..Policy::default() });
        tracked.run(Verdict::Passed, second(MONDAY));
        tracked
    };
    let mut tracked = silent();
    assert_eq!(words(&tracked.tick(second(MONDAY + HOUR))), "SILENT");
    // Neither an absence nor a clock that goes back a little takes it back.
    tracked.watch = away(MONDAY + HOUR, MONDAY + 2 * HOUR);
    for at in [2 * HOUR, HOUR - 5] {
        assert_eq!(tracked.monitor.reconsider_silence(&tracked.policy, second(MONDAY + at)), None);
        assert_eq!(words(&tracked.tick(second(MONDAY + at))), "");
        assert_eq!(tracked.monitor.cadence.silent_since, Some(second(MONDAY)));
    }
    tracked.watch = Watch::always();
    tracked.policy.silence = limit(100);
    // Whoever was told of it is told that it is over.
    let over = tracked.monitor.reconsider_silence(&tracked.policy, second(MONDAY + 2 * HOUR));
    let gap = seconds((2 * HOUR).unsigned_abs());
    assert_eq!(over, Some(Effect::Resumed { silent_since: second(MONDAY), gap }));
    assert_eq!(words(&tracked.tick(second(MONDAY + 2 * HOUR))), "");
    assert_eq!(tracked.monitor.cadence.silent_since, None);
    assert_eq!(tracked.due(second(MONDAY + 2 * HOUR)), Some(second(MONDAY + 100 * HOUR)));
    assert_eq!(words(&tracked.tick(second(MONDAY + 100 * HOUR))), "SILENT");

    // One that waits for the end of a mute is told by the settings of then.
    let mut tracked = silent();
    let until = second(MONDAY + 3 * HOUR);
    tracked.monitor.mute = Some(Mute { until, by: "ann".to_owned(), reason: None });
    assert_eq!(words(&tracked.tick(second(MONDAY + HOUR))), "");
    tracked.policy.silence = limit(100);
    assert_eq!(tracked.monitor.reconsider_silence(&tracked.policy, second(MONDAY + 2 * HOUR)), None);
    assert_eq!(words(&tracked.tick(until)), "");
}

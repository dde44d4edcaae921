use super::*;

fn verdict(letter: char) -> (Verdict, Numbers) {
    let empty = Numbers { requests: Some(0), ..Numbers::default() };
    match letter {
        'F' => (Verdict::Failed, Numbers::default()),
        'P' => (Verdict::Passed, Numbers::default()),
        'U' => (Verdict::Unknown, Numbers::default()),
        'e' => (Verdict::Passed, empty),
        other => panic!("no verdict: {other}"),
    }
}

/// `runs`: one letter each, a minute apart. `expected`: what each said, `.` for nothing.
#[track_caller]
fn check(policy: Policy, runs: &str, expected: &str) {
    let mut tracked = Tracked::new(policy);
    let told: String = (0..)
        .zip(runs.chars())
        .map(|(minute, letter)| {
            let (verdict, numbers) = verdict(letter);
            match words(&tracked.run_with(verdict, numbers, second(minute * 60))).as_str() {
                "" => '.',
                "OPENED" => 'O',
                "RESOLVED" => 'R',
                other => panic!("{other}"),
            }
        })
        .collect();
    assert_eq!(told, expected, "{runs}");
}

fn after(open_after: u32, resolve_after: u32) -> Policy {
    Policy { open_after, resolve_after, ..Policy::default() }
}

#[test]
fn a_failed_run_opens_and_a_passed_one_resolves() {
    check(Policy::default(), "PPFFFPPFP", "..O..R.OR");
    check(after(0, 0), "FP", "OR");
}

#[test]
fn a_resolve_without_an_incident_is_never_told() {
    check(Policy::default(), "PPPP", "....");
    check(after(3, 1), "FFPFFPFFF", "........O");
}

#[test]
fn several_failures_open_and_several_passes_resolve() {
    check(after(3, 2), "FFFPFPPFFF", "..O...R..O");
}

#[test]
fn unknown_runs_do_nothing_unless_they_are_failures() {
    check(Policy::default(), "UFUUPU", ".O..R.");
    check(after(2, 2), "FUFPUP", "..O..R");
    check(Policy { unknown_runs: Treat::Fail, ..Policy::default() }, "UPU", "ORO");
    check(Policy { unknown_runs: Treat::AsReported, ..Policy::default() }, "UPU", "...");
}

#[test]
fn empty_runs_are_what_the_policy_says() {
    check(Policy::default(), "FePe", "OR..");
    check(Policy { empty_runs: Treat::Ignore, ..Policy::default() }, "FePe", "O.R.");
    check(Policy { empty_runs: Treat::Fail, ..Policy::default() }, "ePe", "ORO");
}

#[test]
fn flapping_is_one_incident_until_the_monitor_is_calm() {
    let flap = Some(Flap { changes: 4, of: 6 });
    // Turns are counted from the second run on; the sixth run is the first that fails after four of them.
    check(Policy { open_after: 2, flap, ..Policy::default() }, "PFPFPFPFPPPPP", ".....O.....R.");
    check(Policy { open_after: 2, ..Policy::default() }, "PFPFPFPFPPPPP", ".............");
    // Without damping every turn is told.
    check(Policy::default(), "PFPFPF", ".ORORO");
}

#[test]
fn an_incident_knows_its_runs_and_its_worst() {
    let mut tracked = Tracked::new(after(2, 2));
    let failing =
        |tests, errors| Numbers { failed_tests: Some(tests), errors: Some(errors), ..Numbers::default() };
    tracked.run_with(Verdict::Failed, failing(1, 0), second(60));
    let Effect::Opened(opened) = &tracked.run_with(Verdict::Failed, failing(1, 0), second(120))[0] else {
        panic!("it opens")
    };
    assert_eq!((opened.severity, opened.runs, opened.failed_runs), (Severity::Error, 2, 2));
    assert_eq!((opened.opened_at, opened.first_failing.at), (second(120), second(60)));
    assert_eq!(opened.id, incident(2));
    tracked.run(Verdict::Passed, second(180));
    assert_eq!(
        (tracked.monitor.track.phase, tracked.monitor.track.since),
        (Phase::Recovering, Some(second(180)))
    );
    tracked.run_with(Verdict::Failed, failing(0, 1), second(240));
    tracked.run_with(Verdict::Failed, failing(1, 0), second(300));
    tracked.run(Verdict::Passed, second(360));
    let effects = tracked.run(Verdict::Passed, second(420));
    let [Effect::Resolved { incident: resolved, at, by: ResolvedBy::Run(by) }] = &effects[..] else {
        panic!("it resolves: {effects:?}")
    };
    assert_eq!((resolved.severity, resolved.runs, resolved.failed_runs), (Severity::Critical, 7, 4));
    assert_eq!((resolved.first_failing.at, resolved.last_failing.at), (second(60), second(300)));
    assert_eq!((resolved.id, *at, by.at), (incident(2), second(420), second(420)));
    assert_eq!(tracked.monitor.track.incident, None);
    assert_eq!(tracked.monitor.counts, Counts { passed: 3, failed: 4, unknown: 0 });
}

#[test]
fn reminders_come_while_it_is_open() {
    let mut tracked = Tracked::new(Policy { remind_every: Some(seconds(3600)), ..Policy::default() });
    tracked.run(Verdict::Failed, second(0));
    assert_eq!(tracked.due(second(0)), Some(second(3600)));
    assert_eq!(words(&tracked.tick(second(3599))), "");
    let effects = tracked.tick(second(3600));
    assert!(matches!(&effects[..], [Effect::Reminder(incident)] if incident.reminders == 1), "{effects:?}");
    assert_eq!(tracked.due(second(3600)), Some(second(7200)));
    // A clock that is set back to before the incident does not put them off.
    assert_eq!(words(&tracked.tick(second(-5000))), "");
    assert_eq!(tracked.due(second(-5000)), Some(second(-1400)));
    tracked.run(Verdict::Passed, second(7300));
    assert_eq!((words(&tracked.tick(second(90_000))), tracked.due(second(90_000))), (String::new(), None));
}

#[test]
fn an_old_log_tells_only_what_is_still_open() {
    let mut tracked = Tracked::new(Policy::default());
    let now = second(1_000_000);
    let mut old = |verdict, at| {
        let run = Run { event: event(1), at: second(at), verdict, numbers: Numbers::default() };
        words(&tracked.step(Input::Run(&run), now))
    };
    assert_eq!(old(Verdict::Failed, 0), "opened");
    assert_eq!(old(Verdict::Passed, 100), "resolved");
    assert_eq!(old(Verdict::Failed, 200), "opened");
    assert_eq!(tracked.due(now), Some(now));
    assert_eq!(words(&tracked.tick(now)), "OPENED");
    assert_eq!(words(&tracked.tick(now)), "");
}

#[track_caller]
fn check_hint(runs: &str, gaps: &[i64], expected: PolicyHint) {
    let mut tracked = Tracked::new(Policy::default());
    let mut at = 0;
    for (letter, gap) in runs.chars().zip(gaps.iter().cycle()) {
        at += gap;
        let (verdict, numbers) = verdict(letter);
        tracked.run_with(verdict, numbers, second(at));
    }
    assert_eq!(tracked.monitor.track.policy_hint, expected, "{runs}");
}

#[test]
fn postmans_other_policy_is_recognised() {
    let odd = [86_400, 900, 400_000, 5_000, 60_000, 1_200, 1_000_000, 20_000];
    check_hint("FPFPFPFP", &odd, PolicyHint::FailuresThenSuccess);
    check_hint("FPFFPFPFFFP", &odd, PolicyHint::FailuresThenSuccess);
    check_hint("FPFP", &odd, PolicyHint::Unclear);
    // One region of two that fails alternates too, but in an even rhythm.
    check_hint("FPFPFPFPFP", &[300], PolicyHint::Unclear);
    check_hint("FPFPPFP", &odd, PolicyHint::EveryRun);
    check_hint("FFFF", &[300], PolicyHint::EveryRun);
    check_hint("P", &[300], PolicyHint::Unclear);
}

/// The last of what the runs of `check_hint` tell, two of which in a row never pass.
#[track_caller]
fn check_seldom(policy: Policy, runs: &str, expected: &str) {
    let mut tracked = Tracked::new(policy);
    let (mut at, mut told) = (0, Vec::new());
    for (letter, gap) in runs.chars().zip([86_400, 900, 400_000, 5_000, 60_000, 1_200].iter().cycle()) {
        at += gap;
        let (verdict, numbers) = verdict(letter);
        told.extend(tracked.run_with(verdict, numbers, second(at)));
    }
    assert_eq!(tracked.monitor.track.policy_hint, PolicyHint::FailuresThenSuccess, "{runs}");
    assert_eq!(words(&told), expected, "{runs}");
}

#[test]
fn with_postmans_other_policy_incidents_open_and_resolve_by_what_arrives() {
    // The sixth run shows the policy; no pass ever follows another.
    check_seldom(after(1, 2), "FPFPFP", "OPENED RESOLVED");
    check_seldom(after(1, 9), "FPFPFPFP", "OPENED RESOLVED OPENED RESOLVED");
    // No fourth failure ever follows.
    check_seldom(after(5, 1), "FFFPFPFPFFFP", "OPENED RESOLVED");
    check_seldom(after(2, 1), "FPFPFPFP", "");
    // Every pair of runs is a turn, and none of them is flapping.
    let flap = Policy { flap: Some(Flap { changes: 4, of: 10 }), ..after(2, 1) };
    check_seldom(flap, "FPFPFPFPFFP", "OPENED RESOLVED OPENED RESOLVED");
}

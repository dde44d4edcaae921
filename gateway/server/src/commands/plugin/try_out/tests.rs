use super::*;

#[track_caller]
fn check(outcome: &Outcome, expected: &str) {
    let sample = trial::samples().swap_remove(0);
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, crate::output::Colour::default());
    let tried = Tried { outcome: outcome.clone(), took: Duration::from_millis(7) };
    print(&sample.event, &tried, &mut output).unwrap();
    let text = String::from_utf8(data).unwrap();
    let without_event = text.lines().filter(|line| !line.starts_with("  event"));
    assert_eq!(without_event.collect::<Vec<_>>().join("\n"), expected);
}

#[test]
fn an_outcome_is_told_with_what_follows() {
    check(
        &Outcome { record_json: Some("{\"id\":7}".to_owned()), ..Outcome::of(OutcomeKind::Delivered) },
        "delivered after 7 ms\n  record   {\"id\":7}",
    );
    check(
        &Outcome { retry_after: Some(Duration::from_secs(3)), ..Outcome::retry("http_503", "busy\u{1b}[1m") },
        "to be tried again after 7 ms\n  code     http_503\n  message  busy [1m\n  \
         then     a gateway tries again after 3s; after the last wait it becomes a dead letter",
    );
}

#[test]
fn every_end_but_a_good_one_says_what_follows() {
    for kind in OutcomeKind::ALL {
        let good = matches!(kind, OutcomeKind::Delivered | OutcomeKind::Skipped);
        assert_eq!(then(&Outcome::of(kind)).is_empty(), good, "{kind}");
    }
}

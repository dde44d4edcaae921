use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{classify::classify, event::MadeKind, id::EventId, time::Timestamp};

fn event(body: &str) -> Event {
    let seen = classify(body.as_bytes(), "acme");
    Event {
        id: EventId::from_bytes([7; 16]),
        received_at: Timestamp::EPOCH,
        source: SourceName::new("acme"),
        kind: seen.kind,
        subject: seen.subject,
        ordering_key: seen.ordering_key.into(),
        verdict: seen.verdict,
        facts: seen.facts,
        note: seen.note,
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
        content_type: None,
        body_bytes: 0,
        hops: 0,
    }
}

fn failing_run() -> Event {
    event(
        r#"{"monitor_name":" Checkout ","monitor_uid":"1-1e8eea47-e976-4b60-a122-11a5ba65085a",
            "collection_name":"Shop","environment_name":"prod/eu","metrics":{"failedTests":2,"errors":0}}"#,
    )
}

fn globs(list: &[&str]) -> Vec<Pattern> {
    list.iter().map(|glob| Pattern::new(glob).unwrap()).collect()
}

fn route(name: &str, conditions: Conditions, to: &[&str]) -> Route {
    Route {
        name: RouteName::new(name),
        conditions,
        to: to.iter().map(|name| DestinationName::new(*name)).collect(),
    }
}

#[track_caller]
fn check(conditions: Conditions, event: &Event, matched: bool) {
    let explanation = route("r", conditions, &["d"]).explain(event);
    assert_eq!(explanation.matched, matched, "{:?}", explanation.reasons);
}

#[test]
fn a_route_without_conditions_takes_everything() {
    check(Conditions::default(), &failing_run(), true);
    check(Conditions::default(), &event("not json"), true);
}

#[test]
fn what_the_gateway_makes_goes_only_where_its_kind_is_named() {
    let opened = Kind::Made(MadeKind::IncidentOpened);
    let opened = Event { kind: opened, verdict: Some(Verdict::Failed), ..failing_run() };
    let failed = Conditions { verdict: vec![Verdict::Failed], ..Conditions::default() };
    check(failed.clone(), &failing_run(), true);
    check(failed.clone(), &opened, false);
    check(Conditions::default(), &opened, false);
    check(Conditions { kinds: vec![opened.kind], ..failed }, &opened, true);
    let told = route("r", Conditions::default(), &["d"]).explain(&opened).reasons[0].to_string();
    assert_eq!(told, "kinds: incident_opened is not one of those that came in");
}

#[test]
fn every_condition_must_hold() {
    let run = failing_run();
    let both =
        Conditions { kinds: vec![Kind::MonitorRun], verdict: vec![Verdict::Failed], ..Default::default() };
    check(both.clone(), &run, true);
    check(Conditions { verdict: vec![Verdict::Passed], ..both }, &run, false);
}

#[test]
fn names_match_as_people_see_them_and_ids_without_owner() {
    let run = failing_run();
    check(Conditions { monitor: globs(&["Checkout"]), ..Default::default() }, &run, true);
    check(Conditions { monitor: globs(&["1e8eea47-*"]), ..Default::default() }, &run, true);
    check(Conditions { monitor: globs(&["checkout"]), ..Default::default() }, &run, false);
    check(Conditions { collection: globs(&["X*", "S?op"]), ..Default::default() }, &run, true);
    check(Conditions { environment: globs(&["prod*"]), ..Default::default() }, &run, true);
}

#[test]
fn a_condition_on_something_the_event_lacks_does_not_hold() {
    let backup = event(r#"{"collection":{"info":{"name":"Shop"}}}"#);
    check(Conditions { monitor: globs(&["*"]), ..Default::default() }, &backup, false);
    check(Conditions { verdict: vec![Verdict::Unknown], ..Default::default() }, &backup, false);
}

#[test]
fn labels_must_be_there_and_match() {
    let labels = |name: &str, glob: &str| Conditions {
        labels: BTreeMap::from([(name.to_owned(), Pattern::new(glob).unwrap())]),
        ..Default::default()
    };
    check(labels("team", "pay*"), &failing_run(), true);
    check(labels("team", "search"), &failing_run(), false);
    check(labels("region", "*"), &failing_run(), false);
}

#[test]
fn a_destination_gets_an_event_once_by_the_first_route_that_names_it() {
    let routes = [
        route("first", Conditions::default(), &["a", "b"]),
        route("never", Conditions { kinds: vec![Kind::Activity], ..Default::default() }, &["c"]),
        route("second", Conditions::default(), &["b", "d"]),
    ];
    let decision = decide(&routes, &failing_run());
    let targets: Vec<_> =
        decision.targets.iter().map(|t| (t.destination.as_str(), t.route.as_str())).collect();
    assert_eq!(targets, [("a", "first"), ("b", "first"), ("d", "second")]);
    assert_eq!(decision.explanations.len(), 3);
}

#[test]
fn a_reason_reads_as_a_sentence() {
    let explanation = route(
        "r",
        Conditions { kinds: vec![Kind::Activity], monitor: globs(&["Check*"]), ..Default::default() },
        &[],
    )
    .explain(&failing_run());
    let lines: Vec<_> = explanation.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "kinds: monitor_run is not one of activity",
            "monitor: Checkout / 1e8eea47-e976-4b60-a122-11a5ba65085a is one of Check*",
        ]
    );
}

#[test]
fn an_expression_is_a_condition_among_others() {
    let when = |source: &str| Conditions {
        kinds: vec![Kind::MonitorRun],
        when: Some(Expression::new(source).unwrap()),
        ..Default::default()
    };
    check(when("environment.name.startsWith('prod')"), &failing_run(), true);
    check(when("environment.name.startsWith('dev')"), &failing_run(), false);
    check(when("true"), &event("not json"), false);
    // What cannot be decided does not match.
    check(when("event.labels.region == 'eu'"), &failing_run(), false);
}

#[test]
fn an_expression_is_explained_with_its_value_or_why_it_has_none() {
    for (source, expected) in [
        ("event.kind == 'activity'", "when: event.kind == 'activity' is false"),
        ("event.verdict == 'failed'", "when: event.verdict == 'failed' is true"),
        (
            "event.labels.region == 'eu'",
            "when: event.labels.region == 'eu' cannot be decided: the event has no label \"region\"",
        ),
    ] {
        let conditions = Conditions { when: Some(Expression::new(source).unwrap()), ..Default::default() };
        let explanation = route("r", conditions, &["d"]).explain(&failing_run());
        assert_eq!(explanation.reasons[0].to_string(), expected);
    }
}

#[test]
fn a_broken_pattern_names_itself() {
    let error = Pattern::new("prod[").unwrap_err();
    assert_eq!(error.to_string(), "\"prod[\" is not a pattern: unclosed character class; missing ']'");
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_a_clear_error(glob in ".{0,40}", text in ".{0,40}") {
        if let Ok(pattern) = Pattern::new(&glob) {
            let _matched: bool = pattern.matches(&text);
        }
    }
}

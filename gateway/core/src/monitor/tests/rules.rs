use super::*;
use crate::route::Pattern;

fn patterns(globs: &[&str]) -> Vec<Pattern> {
    globs.iter().map(|glob| Pattern::new(glob).unwrap()).collect()
}

fn monitor() -> Identity {
    Identity {
        name: Some("Checkout smoke ".to_owned()),
        collection_name: Some("Shop".to_owned()),
        collection_id: Some("c1".to_owned()),
        environment_name: Some("Production".to_owned()),
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
        ..identity("m1")
    }
}

#[track_caller]
fn check(matching: Matching, expected: bool) {
    assert_eq!(matching.holds(&monitor()), expected, "{matching:?}");
}

#[test]
fn every_condition_that_is_set_must_hold() {
    let by = Matching::default;
    check(by(), true);
    check(Matching { monitor: patterns(&["Checkout*smoke"]), ..by() }, true);
    check(Matching { monitor: patterns(&["x", "m1"]), ..by() }, true);
    check(Matching { monitor: patterns(&["checkout*"]), ..by() }, false);
    check(Matching { collection: patterns(&["c?"]), environment: patterns(&["Prod*"]), ..by() }, true);
    check(Matching { collection: patterns(&["Shop"]), environment: patterns(&["Staging"]), ..by() }, false);
    let label = |name: &str, glob: &str| BTreeMap::from([(name.to_owned(), Pattern::new(glob).unwrap())]);
    check(Matching { labels: label("team", "pay*"), ..by() }, true);
    check(Matching { labels: label("tier", "*"), ..by() }, false);
}

#[test]
fn a_later_rule_wins_field_by_field() {
    let rule = |glob: &str, settings| Rule {
        matching: Matching { monitor: patterns(&[glob]), ..Matching::default() },
        settings,
    };
    let rules = Rules {
        defaults: PolicySettings { open_after: Some(2), slo: Some(Some(0.9)), ..PolicySettings::default() },
        rules: vec![
            rule(
                "m*",
                PolicySettings { open_after: Some(3), resolve_after: Some(4), ..PolicySettings::default() },
            ),
            rule("other", PolicySettings { open_after: Some(9), ..PolicySettings::default() }),
            rule(
                "m1",
                PolicySettings { resolve_after: Some(5), slo: Some(None), ..PolicySettings::default() },
            ),
        ],
    };
    let policy = rules.policy(&monitor());
    assert_eq!(policy, Policy { open_after: 3, resolve_after: 5, slo: None, ..Policy::default() });
    assert_eq!(Rules::default().policy(&monitor()), Policy::default());
}

#[test]
fn the_first_severity_rule_that_holds_counts() {
    let rule = |when, severity| SeverityRule { when, severity };
    let any = SeverityWhen::default();
    let rules = [
        rule(SeverityWhen { errors_at_least: Some(2), ..any }, Severity::Critical),
        rule(
            SeverityWhen { failed_share_at_least: Some(0.5), failed_tests_at_least: Some(3), ..any },
            Severity::Error,
        ),
        rule(SeverityWhen { latency_mean_ms_at_least: Some(100.0), ..any }, Severity::Warning),
        rule(any, Severity::Info),
    ];
    let numbers =
        Numbers { failed_tests: Some(3), passed_tests: Some(3), errors: Some(1), ..Numbers::default() };
    let slow = Numbers { requests: Some(2), latency_total_ms: Some(200), ..Numbers::default() };
    assert_eq!(Severity::of(&Numbers { errors: Some(2), ..numbers }, &rules), Severity::Critical);
    assert_eq!(Severity::of(&numbers, &rules), Severity::Error);
    assert_eq!(Severity::of(&Numbers { passed_tests: Some(4), ..numbers }, &rules), Severity::Info);
    assert_eq!(Severity::of(&slow, &rules), Severity::Warning);

    assert_eq!(Severity::of(&numbers, &[]), Severity::Critical);
    assert_eq!(Severity::of(&Numbers { errors: Some(0), ..numbers }, &[]), Severity::Error);
    assert_eq!(Severity::of(&Numbers::default(), &[]), Severity::Warning);
}

#[test]
fn severities_are_read_back_from_their_names() {
    for severity in Severity::ALL {
        assert_eq!(severity.to_string().parse(), Ok(severity));
    }
    assert!("fatal".parse::<Severity>().is_err());
}

use std::ffi::OsString;

use super::*;
use crate::{
    config::{Surroundings, parse},
    output::Colour,
};

const CONFIG: &str = r#"
[[source]]
name = "postman"
tokens = ["0123456789abcdef"]
labels = { team = "payments" }
[[destination]]
name = "backups"
plugin = "backup"
[[destination]]
name = "incidents"
plugin = "itoc360"
[[route]]
name = "backups"
kinds = ["collection_backup"]
to = ["backups"]
[[route]]
name = "failing payments"
kinds = ["monitor_run"]
labels = { team = "pay*" }
verdict = ["failed"]
when = "monitor.name.startsWith('Smoke') && event.labels.team != 'search'"
to = ["incidents"]
[[route]]
name = "europe"
when = "event.labels.region == 'eu'"
to = ["incidents"]
"#;

const RUN: &str = r#"{"monitor_name":"Smoke \u001b[31m","monitor_uid":"1e8eea47-e976-4b60-a122-11a5ba65085a",
    "metrics":{"failedTests":1,"errors":0}}"#;

fn config() -> Config {
    let surroundings = Surroundings { env: &|_| None::<OsString>, program_folder: None };
    let overrides = Overrides::default();
    parse(CONFIG, Path::new("x"), Path::new("/"), overrides, &surroundings).finish().unwrap()
}

fn explain(body: &str, labels: &[(&str, &str)]) -> (Event, Decision) {
    let config = config();
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let event = event(&config, "postman", labels, body.as_bytes()).unwrap();
    let decision = decide(&config.routes, &event);
    (event, decision)
}

fn printed(body: &str) -> String {
    let (event, decision) = explain(body, &[]);
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    print(&event, &decision, &mut Output::new(&mut data, &mut talk, Colour::default())).unwrap();
    String::from_utf8(data).unwrap()
}

#[test]
fn it_says_which_routes_take_a_body_and_why_the_others_do_not() {
    insta::assert_snapshot!(printed(RUN), @r#"
kind         monitor_run
verdict      failed
subject      1e8eea47-e976-4b60-a122-11a5ba65085a
monitor      Smoke  [31m

leaves route "backups"
       - kinds: monitor_run is not one of collection_backup
takes  route "failing payments"
       + kinds: monitor_run is one of monitor_run
       + labels.team: payments is one of pay*
       + verdict: failed is one of failed
       + when: monitor.name.startsWith('Smoke') && event.labels.team != 'search' is true
leaves route "europe"
       - when: event.labels.region == 'eu' cannot be decided: the event has no label "region"

goes to incidents
"#);
}

#[test]
fn an_event_that_no_route_takes_says_so() {
    insta::assert_snapshot!(printed("[]"), @r#"
kind         unrecognized
note         the body is not a JSON object

leaves route "backups"
       - kinds: unrecognized is not one of collection_backup
leaves route "failing payments"
       - kinds: unrecognized is not one of monitor_run
       + labels.team: payments is one of pay*
       - verdict: nothing is not one of failed
       - when: monitor.name.startsWith('Smoke') && event.labels.team != 'search' is false
leaves route "europe"
       - when: event.labels.region == 'eu' cannot be decided: the event has no label "region"

no destination gets it; it is kept all the same
"#);
}

#[test]
fn a_request_cannot_replace_the_labels_of_the_source() {
    let (event, _) = explain(RUN, &[("team", "other"), ("zone", "b")]);
    assert_eq!(event.labels["team"], "payments");
    assert_eq!(event.labels["zone"], "b");
}

#[test]
fn json_has_the_same_answer() {
    let (event, decision) = explain(RUN, &[]);
    let json = as_json(&event, &decision);
    assert_eq!(json["verdict"], "failed");
    assert_eq!(json["targets"], json!([{ "destination": "incidents", "route": "failing payments" }]));
    assert_eq!(json["routes"][0]["matched"], false);
}

#[test]
fn an_unknown_source_is_not_found() {
    let failure = event(&config(), "postmen", Vec::new(), b"{}").unwrap_err();
    assert_eq!(failure.exit(), Exit::NotFound);
}

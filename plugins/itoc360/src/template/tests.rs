use std::time::Duration;

use super::*;
use crate::facts::tests::failing;

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(Template::parse(template).unwrap().render(&failing(), 80), expected);
}

#[test]
fn placeholders_stand_for_what_is_known() {
    check("{monitor} {status}", "Checkout is failing");
    check("[{severity}] {collection}/{environment}", "[error] Shop/-");
    check("{failed_tests} of {requests}, {latency_ms} ms", "2 of 4, 25 ms");
    check("{{literal}} {source}", "{literal} acme");
    let mut facts = failing();
    facts.duration = Some(Duration::from_secs(3900));
    facts.failures = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).into();
    let text = Template::parse("{duration}: {failures}").unwrap().render(&facts, 80);
    assert_eq!(text, "1 h 5 min: a; b; c; d; e; and 1 more");
}

#[test]
fn what_is_no_template_is_refused_and_says_why() {
    #[track_caller]
    fn check(text: &str, message: &str) {
        let error = Template::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    check("{monitr} fails", "there is no placeholder {monitr}: there are {monitor} {monitor_id}");
    check("{} fails", "there is no placeholder {}");
    check("{monitor fails", "a brace stands alone");
    check("{a{b}", "a brace stands alone");
    check("} fails", "{{ and }}");
    check(" \n", "blank");
    check("", "blank");
}

#[test]
fn a_text_is_one_bounded_line_whatever_the_monitor_is_called() {
    let mut facts = failing();
    facts.monitor = Some("a\u{1b}[31m\r\n\tb\u{202e}\u{0}c ".into());
    let template = Template::parse("{monitor}!").unwrap();
    assert_eq!(template.render(&facts, 80), "a [31m b c !");
    facts.monitor = Some("ü".repeat(1000));
    let text = template.render(&facts, 80);
    assert_eq!(text.chars().count(), 80);
    assert!(text.ends_with('…'));
}

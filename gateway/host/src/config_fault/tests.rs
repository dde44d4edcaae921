use super::{list, read_report};

#[track_caller]
fn check(report: &str, expected: &str) {
    assert_eq!(list(&read_report(report)), expected, "{report}");
}

#[test]
fn a_report_gives_its_errors_in_order() {
    check(
        r#"{"errors":[{"path":"/url","message":"is no URL"},{"message":"too\nold"}],"warnings":[1]}"#,
        "/url: is no URL; too old",
    );
}

#[test]
fn a_refusal_without_a_usable_report_is_still_a_fault() {
    for report in ["", "{", "[]", "{}", r#"{"errors":[]}"#, r#"{"errors":"all"}"#] {
        check(report, "the plugin refuses its config and does not say why");
    }
}

#[test]
fn reports_are_bounded() {
    let error = format!(r#"{{"path":"{}","message":"{}"}}"#, "p".repeat(5000), "m".repeat(5000));
    let faults = read_report(&format!(r#"{{"errors":[{}]}}"#, vec![error; 500].join(",")));
    assert_eq!(faults.len(), 64);
    assert_eq!((faults[0].path.len(), faults[0].message.len()), (256, 1024));
}

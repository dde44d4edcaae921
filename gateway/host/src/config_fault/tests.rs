use postroom_core::secret::Secret;

use super::{ConfigFault, accept, list, read_report};
use crate::mask::Mask;

#[track_caller]
fn check(report: &str, expected: &str) {
    assert_eq!(list(&accept(read_report(report), &Mask::default())), expected, "{report}");
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
    for report in ["", "{", "[]", "{}", r#"{"errors":[]}"#, r#"{"errors":[{}]}"#, r#"{"errors":"all"}"#] {
        check(report, "the plugin refuses its config and does not say why");
    }
}

#[test]
fn reports_are_bounded() {
    let error = format!(r#"{{"path":"{}","message":"{}"}}"#, "p".repeat(5000), "m".repeat(5000));
    let report = read_report(&format!(r#"{{"errors":[{}]}}"#, vec![error; 500].join(",")));
    for faults in [accept(report.clone(), &Mask::default()), report] {
        assert_eq!(faults.len(), 64);
        assert_eq!((faults[0].path.len(), faults[0].message.len()), (256, 1024));
    }
}

#[test]
fn secrets_are_masked_in_faults() {
    let fault = |path: &str, message: &str| ConfigFault { path: path.into(), message: message.into() };
    let mask = Mask::new(&[Secret::new("s3cret-token")]);
    let faults = accept([fault("/s3cret-token", "\"s3cret-token\" is no token")], &mask);
    assert_eq!(faults, [fault("/***", "\"***\" is no token")]);
    // A report is cut before it gets here.
    let report = format!(r#"{{"errors":[{{"message":"{}s3cret-token"}}]}}"#, "x".repeat(1014));
    assert!(accept(read_report(&report), &mask)[0].message.ends_with("x***"));
}

use std::time::Duration;

use super::*;

fn finding(holds: bool, reason: &str) -> Finding {
    let took = Duration::from_millis(1500);
    Finding { check: "starts", holds, doubtful: false, reason: reason.to_owned(), took }
}

#[test]
fn junit_says_what_failed_and_why() {
    let document =
        junit::document("pager", &[finding(true, "ready"), finding(false, "signal <6> & \"more\"\u{1b}[1m")]);
    insta::assert_snapshot!(document, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="postroom plugin conformance" tests="2" failures="1" errors="0" time="3.000">
        <testcase classname="pager" name="starts" time="1.500"><system-out>ready</system-out></testcase>
        <testcase classname="pager" name="starts" time="1.500"><failure message="signal &lt;6&gt; &amp; &quot;more&quot; [1m"/></testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn json_says_what_failed_and_why() {
    let report = Report { plugin: None, findings: vec![finding(true, "ready"), finding(false, "signal 6")] };
    let document = report.as_json();
    assert_eq!(document["holds"], false);
    assert_eq!(document["checks"][1]["reason"], "signal 6");
    assert_eq!(document["checks"][0]["took_ms"], 1500);
    let report = Report { plugin: None, findings: vec![finding(true, "ready")] };
    assert_eq!(report.as_json()["holds"], true);
}

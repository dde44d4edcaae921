//! Findings as JUnit XML, which build servers read.

use std::fmt::Write as _;

use postroom_host::Finding;

/// The document, without a line feed at its end.
pub(super) fn document(plugin: &str, findings: &[Finding]) -> String {
    let failures = findings.iter().filter(|finding| !finding.holds).count();
    let seconds: f64 = findings.iter().map(|finding| finding.took.as_secs_f64()).sum();
    let (tests, class) = (findings.len(), escaped(plugin));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"postroom plugin conformance\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{seconds:.3}\">\n"
    );
    for Finding { check, holds, reason, took, .. } in findings {
        let (name, reason, seconds) = (escaped(check), escaped(reason), took.as_secs_f64());
        let said = if *holds {
            format!("<system-out>{reason}</system-out>")
        } else {
            format!("<failure message=\"{reason}\"/>")
        };
        let case = format!("classname=\"{class}\" name=\"{name}\" time=\"{seconds:.3}\"");
        writeln!(xml, "    <testcase {case}>{said}</testcase>").expect("writing to a String cannot fail");
    }
    xml.push_str("  </testsuite>\n</testsuites>");
    xml
}

/// Text for content and attributes. XML has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

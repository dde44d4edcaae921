use super::*;

fn incident(title: &str, resolved_unix_ms: Option<u64>) -> Incident {
    Incident {
        source: 0,
        fingerprint: "m".to_owned(),
        title: title.to_owned(),
        priority: Some("HIGH"),
        alerts: 2,
        opened_unix_ms: 1_768_465_800_000,
        resolved_unix_ms,
    }
}

#[test]
fn open_incidents_stand_first() {
    let page = of(&[incident("over", Some(1_768_465_860_000)), incident("old", None), incident("new", None)]);
    assert_eq!((page.status, page.content_type), (200, "text/html; charset=utf-8"));
    let at = |text: &str| page.body.find(text).unwrap_or_else(|| panic!("no {text} in {}", page.body));
    assert!(at(">new<") < at(">old<") && at(">old<") < at(">over<"));
    assert!(page.body.contains("2 open, 3 in all"), "{}", page.body);
    assert!(page.body.contains("2026-01-15T08:30:00Z") && page.body.contains("2026-01-15T08:31:00Z"));
}

#[test]
fn without_incidents_it_says_so() {
    assert!(of(&[]).body.contains("Nothing has failed so far."));
}

#[test]
fn what_strangers_wrote_is_shown_as_text() {
    let page = of(&[incident("<script>alert(\"1\")</script> & more", None)]);
    assert!(!page.body.contains("<script"), "{}", page.body);
    assert!(page.body.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more"));
}

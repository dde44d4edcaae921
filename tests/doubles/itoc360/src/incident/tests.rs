use super::*;

fn event(kind: Option<Kind>, fingerprint: &str, title: &str) -> Event {
    Event { fingerprint: fingerprint.to_owned(), kind, title: title.to_owned(), priority: Some("HIGH") }
}

#[test]
fn an_alert_opens_updates_and_a_resolve_ends() {
    let mut incidents = Incidents::default();
    incidents.apply(0, &event(Some(Kind::Resolve), "m", "nothing open"), 1);
    incidents.apply(0, &event(None, "m", "not known"), 2);
    assert!(incidents.all().is_empty());
    incidents.apply(0, &event(Some(Kind::Alert), "m", "first"), 3);
    incidents.apply(0, &event(Some(Kind::Alert), "m", "second"), 4);
    incidents.apply(0, &event(Some(Kind::Alert), "n", "other"), 5);
    incidents.apply(1, &event(Some(Kind::Resolve), "m", "of another source"), 6);
    incidents.apply(0, &event(None, "m", "not known"), 7);
    let [m, n] = incidents.all() else { panic!("{incidents:?}") };
    assert_eq!((&*m.title, m.alerts, m.opened_unix_ms, m.is_open()), ("second", 2, 3, true));
    assert_eq!((&*n.title, n.alerts, n.opened_unix_ms), ("other", 1, 5));

    incidents.apply(0, &event(Some(Kind::Resolve), "m", "passes"), 8);
    assert_eq!((incidents.all()[0].resolved_unix_ms, &*incidents.all()[0].title), (Some(8), "second"));
    incidents.apply(0, &event(Some(Kind::Alert), "m", "again"), 9);
    assert_eq!(incidents.all().len(), 3, "what is over stays over");
}

#[test]
fn the_oldest_are_forgotten() {
    let mut incidents = Incidents::default();
    for n in 0..=INCIDENTS_MAX {
        incidents.apply(0, &event(Some(Kind::Alert), &n.to_string(), ""), 0);
    }
    assert_eq!((incidents.all().len(), &*incidents.all()[0].fingerprint), (INCIDENTS_MAX, "1"));
}

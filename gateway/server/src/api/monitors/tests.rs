use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn an_objective_is_measured_over_what_there_is() {
    let day = |number: u32| Timestamp::EPOCH.plus(DAY * number);
    let since = |history, first_seen| slo_since(day(1000), history, first_seen);
    assert_eq!(since(Some(400 * DAY), day(1)), day(970));
    assert_eq!(since(None, day(1)), day(970));
    assert_eq!(since(Some(7 * DAY), day(1)), day(993), "older runs are gone");
    assert_eq!(since(Some(400 * DAY), day(998)), day(998), "there was none before");
}

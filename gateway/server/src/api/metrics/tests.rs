use super::*;
use crate::api::IDLE;

/// What is rendered of one gauge of a destination.
#[track_caller]
fn gauge(rendered: &str, name: &str) -> i64 {
    let line = format!("postroom_{name}{{destination=\"d\"}} ");
    let value = rendered.lines().find_map(|found| found.strip_prefix(&line));
    value.unwrap_or_else(|| panic!("no {name} in\n{rendered}")).parse().unwrap()
}

#[test]
fn what_waits_and_what_is_in_flight_are_told_apart() {
    let destination = DestinationName::new("d");
    let metrics = Metrics::new(
        &postroom_engine::Metrics::default(),
        &PluginSeries::default(),
        &MonitorMetrics::default(),
    );
    let check = |not_final: u64, in_flight: u32, waiting: i64| {
        let loads = BTreeMap::from([(destination.clone(), DestinationLoad { in_flight, ..IDLE })]);
        let counts = [WaitingCount { destination: destination.clone(), waiting: not_final }];
        let rendered = metrics.render(&[], &loads, Some(&counts));
        assert_eq!(gauge(&rendered, "deliveries_waiting"), waiting);
        assert_eq!(gauge(&rendered, "deliveries_in_flight"), i64::from(in_flight));
    };
    check(7, 2, 5);
    check(7, 0, 7);
    // They are not counted at the same moment.
    check(1, 2, 0);
}

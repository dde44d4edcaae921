use prometheus_client::{encoding::text, registry::Registry};

use super::*;

fn metric(kind: MetricKind, name: &str) -> DeclaredMetric {
    let help = format!("What {name} is");
    DeclaredMetric { name: name.to_owned(), kind, help, buckets: vec![1.0, 5.0] }
}

fn labels(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What a scrape gives, without the lines that describe.
fn scraped(series: &PluginSeries) -> Vec<String> {
    let mut registry = Registry::with_prefix("postroom");
    registry.register_collector(Box::new(series.clone()));
    let mut rendered = String::new();
    text::encode(&mut rendered, &registry).unwrap();
    rendered.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn a_measurement_says_its_kind_its_plugin_and_its_destination() {
    let all = PluginSeries::default();
    let pager = all.of(DestinationName::new("night"), "com.example.pager");
    pager.measured(&metric(MetricKind::Counter, "pages"), 1.5, labels(&[("team", "a\"b")]));
    pager.measured(&metric(MetricKind::Counter, "pages"), 2.0, labels(&[("team", "a\"b")]));
    pager.measured(&metric(MetricKind::Gauge, "open"), 7.0, labels(&[]));
    pager.measured(&metric(MetricKind::Gauge, "open"), -3.0, labels(&[]));
    pager.measured(&metric(MetricKind::Histogram, "took"), 2.0, labels(&[]));
    // The same name with another kind is another metric, also of another plugin.
    let other = all.of(DestinationName::new("day"), "other");
    other.measured(&metric(MetricKind::Gauge, "pages"), 1.0, labels(&[]));
    assert_eq!(
        scraped(&all),
        [
            r#"postroom_plugin_counter_pages_total{destination="night",plugin="com.example.pager",team="a\"b"} 3.5"#,
            r#"postroom_plugin_gauge_open{destination="night",plugin="com.example.pager"} -3.0"#,
            r#"postroom_plugin_gauge_pages{destination="day",plugin="other"} 1.0"#,
            r#"postroom_plugin_histogram_took_sum{destination="night",plugin="com.example.pager"} 2.0"#,
            r#"postroom_plugin_histogram_took_count{destination="night",plugin="com.example.pager"} 1"#,
            r#"postroom_plugin_histogram_took_bucket{le="1.0",destination="night",plugin="com.example.pager"} 0"#,
            r#"postroom_plugin_histogram_took_bucket{le="5.0",destination="night",plugin="com.example.pager"} 1"#,
            r#"postroom_plugin_histogram_took_bucket{le="+Inf",destination="night",plugin="com.example.pager"} 1"#,
        ]
    );
}

#[test]
fn a_destination_has_only_so_many_series_and_the_rest_is_counted() {
    let all = PluginSeries::default();
    let pager = all.of(DestinationName::new("night"), "pager");
    let pages = metric(MetricKind::Counter, "pages");
    for number in 0..150 {
        pager.measured(&pages, 1.0, labels(&[("number", &number.to_string())]));
    }
    // Those that are there go on, and another destination has its own.
    pager.measured(&pages, 1.0, labels(&[("number", "7")]));
    pager.lost(5);
    let day = all.of(DestinationName::new("day"), "pager");
    day.measured(&pages, 1.0, labels(&[]));
    let lines = scraped(&all);
    assert_eq!(lines.iter().filter(|line| line.contains("destination=\"night\",plugin")).count(), SERIES_MAX);
    let line =
        |part: &str| lines.iter().find(|line| line.contains(part)).unwrap().rsplit(' ').next().unwrap();
    assert_eq!(line("number=\"7\""), "2.0");
    assert_eq!(line("destination=\"day\""), "1.0");
    assert_eq!(line("postroom_plugin_measurements_dropped_total{destination=\"night\"}"), "55");
}

/// The names of the samples that are there.
fn numbers(all: &PluginSeries) -> Vec<String> {
    let number = |line: &String| line.split("number=\"").nth(1)?.split('"').next().map(str::to_owned);
    scraped(all).iter().filter_map(number).collect()
}

#[test]
fn what_was_measured_for_a_destination_goes_with_the_last_who_could() {
    let all = PluginSeries::default();
    let pages = metric(MetricKind::Counter, "pages");
    let (night, day) = (DestinationName::new("night"), DestinationName::new("day"));
    let before = all.of(night.clone(), "pager");
    let other = all.of(day, "pager");
    before.measured(&pages, 1.0, labels(&[("number", "1")]));
    other.measured(&pages, 1.0, labels(&[("number", "of another")]));
    before.lost(3);
    let after = all.of(night.clone(), "pager");
    drop(before);
    after.measured(&pages, 1.0, labels(&[("number", "1")]));
    assert_eq!(numbers(&all), ["of another", "1"]);
    assert!(scraped(&all).iter().any(|line| line.ends_with("number=\"1\"} 2.0")), "{:?}", scraped(&all));
    drop(after);
    assert_eq!(numbers(&all), ["of another"]);
    assert_eq!(scraped(&all).len(), 1, "what was dropped is no longer counted either");
    // It begins anew when it comes back.
    all.of(night, "pager").lost(1);
    drop(other);
    assert_eq!(scraped(&all), [""; 0]);
    assert!(all.lock().by_name.is_empty() && all.lock().destinations.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_measured_no_longer_goes_when_something_else_has_taken_its_place() {
    let all = PluginSeries::default();
    let pages = metric(MetricKind::Counter, "pages");
    let night = DestinationName::new("night");
    let number = |number: usize| labels(&[("number", &format!("{number:03}"))]);
    let before = all.of(night.clone(), "pager");
    before.measured(&pages, 1.0, number(1));
    before.measured(&pages, 1.0, number(2));
    tokio::time::advance(SILENT_MAX).await;
    assert_eq!(numbers(&all), ["001", "002"], "nothing has taken its place");

    let after = all.of(night, "pager");
    before.measured(&pages, 1.0, number(2));
    assert_eq!(numbers(&all), ["001", "002"], "it has not measured anything yet");
    after.measured(&pages, 1.0, number(3));
    assert_eq!(numbers(&all), ["002", "003"]);
    tokio::time::advance(SILENT_MAX).await;
    assert_eq!(numbers(&all), ["003"]);

    for at in 4..=SERIES_MAX + 2 {
        after.measured(&pages, 1.0, number(at));
    }
    assert_eq!(numbers(&all).len(), SERIES_MAX);
    after.measured(&pages, 1.0, number(900));
    assert!(!numbers(&all).contains(&"003".to_owned()) && numbers(&all).contains(&"900".to_owned()));
    after.measured(&pages, 1.0, number(901));
    assert!(!numbers(&all).contains(&"901".to_owned()), "the others are of today");
}

use serde_json::{Map, Value, json};

use super::{BUCKETS, DeclaredMetric, emits, metrics};
use crate::plugin_metrics::MetricKind;

fn document(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

#[test]
fn a_plugin_declares_the_kinds_that_it_makes() {
    let kinds =
        |value| emits(&document("emits", value)).map(|kinds| kinds.iter().map(ToString::to_string).collect());
    assert_eq!(
        kinds(json!(["page_opened", "page_closed"])),
        Ok(vec!["page_opened".to_owned(), "page_closed".to_owned()])
    );
    assert_eq!(emits(&Map::new()), Ok(Vec::new()));
    for wrong in [
        json!("page"),
        json!(["Page"]),
        json!([1]),
        json!(["monitor_run"]),
        json!(["incident_x"]),
        json!([""]),
    ] {
        assert!(kinds(wrong.clone()).is_err(), "{wrong}");
    }
    assert!(kinds(json!(vec!["k"; 65])).is_err());
}

#[test]
fn a_plugin_declares_what_it_measures() {
    let pages = json!({ "name": "pages", "kind": "counter", "help": "Pages sent" });
    let took = json!({ "name": "took", "kind": "histogram", "buckets": [1, 2.5] });
    assert_eq!(
        metrics(&document("metrics", json!([pages, took]))),
        Ok(vec![
            DeclaredMetric {
                name: "pages".to_owned(),
                kind: MetricKind::Counter,
                help: "Pages sent".to_owned(),
                buckets: BUCKETS.to_vec(),
            },
            DeclaredMetric {
                name: "took".to_owned(),
                kind: MetricKind::Histogram,
                help: String::new(),
                buckets: vec![1.0, 2.5],
            },
        ])
    );
    assert_eq!(metrics(&Map::new()), Ok(Vec::new()));
    for wrong in [
        json!({}),
        json!(["pages"]),
        json!([{ "name": "pages" }]),
        json!([{ "name": "Pages", "kind": "counter" }]),
        json!([{ "name": "pages", "kind": "meter" }]),
        json!([{ "name": "pages", "kind": "gauge", "help": "two\nlines" }]),
        json!([{ "name": "pages", "kind": "gauge" }, { "name": "pages", "kind": "counter" }]),
        json!([{ "name": "took", "kind": "histogram", "buckets": [2, 1] }]),
        json!([{ "name": "took", "kind": "histogram", "buckets": [] }]),
    ] {
        assert!(metrics(&document("metrics", wrong.clone())).is_err(), "{wrong}");
    }
}

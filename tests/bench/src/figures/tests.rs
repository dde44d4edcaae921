use serde_json::json;

use super::Figures;

#[track_caller]
fn check(values: &[f64], expected: Option<f64>) {
    let mut figures = Figures::default();
    for value in values {
        figures.add("x", *value);
    }
    assert_eq!(figures.median("x"), expected, "{values:?}");
}

#[test]
fn a_figure_is_the_median_of_its_rounds() {
    check(&[], None);
    check(&[3.0], Some(3.0));
    check(&[9.0, 1.0, 2.0], Some(2.0));
    check(&[9.0, 1.0, 2.0, 4.0], Some(3.0));
}

#[test]
fn a_ratio_is_that_of_the_medians_and_needs_both() {
    let mut figures = Figures::default();
    for value in [10.0, 20.0, 30.0] {
        figures.add("of", value);
        figures.add("to", 40.0);
    }
    figures.add_ratio("ratio", "of", "to");
    figures.add_ratio("nothing", "of", "absent");
    assert_eq!(figures.median("ratio"), Some(0.5));
    assert_eq!(figures.median("nothing"), None);
}

#[test]
fn the_medians_stand_at_the_top_of_the_json() {
    let mut figures = Figures::default();
    figures.add("idle_rss_mb", 12.5);
    figures.fact("quick", true);
    assert_eq!(
        figures.json(),
        json!({ "idle_rss_mb": 12.5, "run": { "quick": true }, "rounds": { "idle_rss_mb": [12.5] }, "skipped": [] })
    );
}

use poem::http::header;

use crate::fake::Fake;

#[tokio::test]
async fn metrics_are_in_the_format_prometheus_reads() {
    let response = Fake::default().get("/metrics").await;
    response
        .assert_header(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.assert_text("postroom_events_total 1\n").await;
}

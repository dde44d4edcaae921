use poem::http::header;

use crate::fake::{Fake, event};

#[tokio::test]
async fn pages_give_every_item_once_newest_first() {
    let fake = Fake::with_events(5);
    let newest_first: Vec<String> = (1..=5).rev().map(|number| event(number).id).collect();
    for (limit, pages) in [(1, 5), (2, 3), (5, 1), (500, 1)] {
        let walked = fake.walk("/api/v1/events", limit).await;
        assert_eq!(walked.len(), pages, "limit {limit}");
        assert_eq!(walked.concat(), newest_first, "limit {limit}");
    }
}

#[tokio::test]
async fn an_empty_list_is_an_empty_page() {
    assert_eq!(Fake::default().get_json("/api/v1/events").await, serde_json::json!({"items": []}));
}

#[tokio::test]
async fn filters_reach_the_gateway() {
    let fake = Fake::default();
    fake.get_json("/api/v1/events").await;
    fake.get_json("/api/v1/events?kind=activity&source=a%20b&subject=s&limit=3").await;
    assert_eq!(
        fake.filters(),
        [
            "EventFilter { kind: None, source: None, subject: None } PageRequest { limit: 50, after: None }",
            "EventFilter { kind: Some(Activity), source: Some(\"a b\"), subject: Some(\"s\") } \
             PageRequest { limit: 3, after: None }",
        ]
    );
}

#[tokio::test]
async fn absent_fields_are_absent_and_not_null() {
    let fake = Fake::with_events(1);
    let listed = fake.get_json("/api/v1/events").await["items"][0].clone();
    let keys: Vec<&str> = listed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "received_at",
            "source",
            "kind",
            "subject",
            "verdict",
            "monitor",
            "labels",
            "content_type",
            "body_bytes"
        ]
    );
    assert_eq!(listed["monitor"], serde_json::json!({"id": "1e8eea47"}));
    assert_eq!(listed["received_at"], "2026-09-21T14:13:20.125Z");
}

#[tokio::test]
async fn one_event_says_where_it_went_and_why() {
    let fake = Fake::with_events(1);
    let event = fake.get_json(&format!("/api/v1/events/{}", event(1).id)).await;
    assert_eq!(event["deliveries"][0]["state"], "retrying");
    assert_eq!(event["routes"][0]["matched"], false);
    assert_eq!(event["routes"][0]["reasons"][0], "the kind is monitor_run, not collection_backup");
}

#[tokio::test]
async fn a_body_comes_back_as_it_was_but_no_browser_will_run_it() {
    let id = event(1).id;
    let response = Fake::with_events(1).get(&format!("/api/v1/events/{id}/body")).await;
    response.assert_status_is_ok();
    response.assert_header(header::CONTENT_TYPE, "text/html");
    response.assert_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response.assert_header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}\""));
    response.assert_header(header::CONTENT_LENGTH, "8");
    response.assert_text("<script>").await;
}

#[tokio::test]
async fn a_body_without_a_content_type_is_bytes() {
    let response = Fake::with_events(2).get(&format!("/api/v1/events/{}/body", event(2).id)).await;
    response.assert_header(header::CONTENT_TYPE, "application/octet-stream");
}

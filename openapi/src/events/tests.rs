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
    fake.get_json(
        "/api/v1/events?kind=activity&source=a%20b&subject=s&label=team%3Dpay%3Dments&monitor=m&collection=c&text=Te\
         &received_after=2026-11-21T00:00:00Z&received_before=2026-11-22T00:00:00Z&limit=3",
    )
    .await;
    fake.get_json("/api/v1/events?label=team&after=newest").await;
    assert_eq!(
        fake.filters(),
        [
            "EventFilter { kind: None, source: None, subject: None, label: None, monitor: None, collection: None, \
             text: None, received_after: None, received_before: None } PageRequest { limit: 50, after: None }",
            "EventFilter { kind: Some(Activity), source: Some(\"a b\"), subject: Some(\"s\"), \
             label: Some((\"team\", Some(\"pay=ments\"))), monitor: Some(\"m\"), collection: Some(\"c\"), \
             text: Some(\"Te\"), received_after: Some(Timestamp(2026-11-21T00:00:00Z)), \
             received_before: Some(Timestamp(2026-11-22T00:00:00Z)) } PageRequest { limit: 3, after: None }",
            "EventFilter { kind: None, source: None, subject: None, label: Some((\"team\", None)), monitor: None, \
             collection: None, text: None, received_after: None, received_before: None } \
             Follow { limit: 50, from: Newest }",
        ]
    );
}

#[tokio::test]
async fn a_list_that_is_followed_says_always_where_to_go_on() {
    let fake = Fake::with_events(5);
    let mut after = "oldest".to_owned();
    let mut seen = Vec::new();
    for expected in [(2, true), (2, true), (1, false), (0, false), (0, false)] {
        let page = fake.get_json(&format!("/api/v1/events?limit=2&after={after}")).await;
        let items = page["items"].as_array().unwrap();
        assert_eq!((items.len(), page["is_more"].as_bool().unwrap()), expected);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        assert_eq!(page.get("next_cursor"), None);
        page["after"].as_str().unwrap().clone_into(&mut after);
    }
    assert_eq!(seen, (1..=5).map(|number| event(number).id).collect::<Vec<_>>(), "oldest first");
    let now = fake.get_json("/api/v1/deliveries?after=newest").await;
    assert_eq!((&now["items"], &now["is_more"]), (&serde_json::json!([]), &false.into()));

    let cursor = fake.get_json("/api/v1/events?limit=2").await["next_cursor"].as_str().unwrap().to_owned();
    for bad in [
        format!("/api/v1/events?after={cursor}"),
        format!("/api/v1/events?cursor={after}"),
        format!("/api/v1/deliveries?after={after}"),
        format!("/api/v1/events?after={after}&cursor={cursor}"),
        "/api/v1/events?after=yesterday".to_owned(),
    ] {
        fake.get(&bad).await.assert_status(poem::http::StatusCode::BAD_REQUEST);
    }
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

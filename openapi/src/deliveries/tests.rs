use crate::fake::{Fake, event};

#[tokio::test]
async fn pages_give_every_delivery_once_newest_first() {
    let pages = Fake::with_events(5).walk("/api/v1/deliveries", 2).await;
    assert_eq!(pages, [vec!["5", "4"], vec!["3", "2"], vec!["1"]]);
}

#[tokio::test]
async fn a_cursor_of_events_does_not_work_here() {
    let fake = Fake::with_events(5);
    let page = fake.get_json("/api/v1/events?limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let response = fake.get(&format!("/api/v1/deliveries?cursor={cursor}")).await;
    response.assert_status(poem::http::StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn filters_reach_the_gateway() {
    let fake = Fake::default();
    fake.get_json("/api/v1/deliveries?state=dead&destination=d&event_id=e").await;
    assert_eq!(
        fake.filters(),
        ["DeliveryFilter { state: Some(Dead), destination: Some(\"d\"), event_id: Some(\"e\") } \
          PageRequest { limit: 50, after: None }"]
    );
}

#[tokio::test]
async fn a_listed_delivery_says_how_its_last_attempt_ended() {
    let page = Fake::with_events(1).get_json("/api/v1/deliveries").await;
    let delivery = &page["items"][0];
    assert_eq!(delivery["event_id"], event(1).id);
    assert_eq!(delivery["state"], "retrying");
    assert_eq!(delivery["last_outcome"]["kind"], "retry");
    assert_eq!(delivery.get("attempts"), None);
    assert_eq!(delivery.get("finished_at"), None);
}

#[tokio::test]
async fn one_delivery_has_its_attempts() {
    let delivery = Fake::with_events(1).get_json("/api/v1/deliveries/1").await;
    assert_eq!(delivery["last_outcome"]["kind"], "retry");
    assert_eq!(delivery["attempts"][0]["outcome"], "retry");
    assert_eq!(delivery["attempts"][0]["record"], serde_json::json!({"status": 503}));
}

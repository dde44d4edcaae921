use poem::http::StatusCode;

use crate::fake::{API_KEY, Fake, OPERATOR_KEY, event};

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
    response.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn filters_reach_the_gateway() {
    let fake = Fake::default();
    fake.get_json(
        "/api/v1/deliveries?state=dead&destination=d&event_id=e&kind=activity&source=s&subject=u\
         &created_after=2026-11-21T10:30:00%2B01:00&created_before=2026-11-22T00:00:00Z&replay_id=7",
    )
    .await;
    assert_eq!(
        fake.filters(),
        ["DeliveryFilter { state: Some(Dead), destination: Some(\"d\"), event_id: Some(\"e\"), \
          kind: Some(Activity), source: Some(\"s\"), subject: Some(\"u\"), \
          created_after: Some(Timestamp(2026-11-21T09:30:00Z)), \
          created_before: Some(Timestamp(2026-11-22T00:00:00Z)) } Some(\"7\") PageRequest { limit: 50, after: None }"]
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

#[tokio::test]
async fn a_delivery_is_retried_and_cancelled_in_the_name_of_the_key() {
    let fake = Fake::with_events(2);
    let response = fake.post(OPERATOR_KEY, "/api/v1/deliveries/1/retry", "").await;
    response.assert_status_is_ok();
    let again: serde_json::Value =
        serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
    assert_eq!((&again["id"], &again["replay_of"]), (&"10".into(), &"1".into()));
    fake.post(OPERATOR_KEY, "/api/v1/deliveries/1/cancel", "").await.assert_status_is_ok();
    let response = fake.post(OPERATOR_KEY, "/api/v1/deliveries/2/cancel", "").await;
    response.assert_status(StatusCode::CONFLICT);
    let problem: serde_json::Value =
        serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
    assert_eq!(
        (&problem["code"], &problem["detail"]),
        (&"conflict".into(), &"the delivery is delivered already".into())
    );
    assert_eq!(fake.filters(), ["retry 1 by olga", "cancel 1 by olga", "cancel 2 by olga"]);

    for action in ["retry", "cancel"] {
        fake.post(OPERATOR_KEY, &format!("/api/v1/deliveries/3/{action}"), "")
            .await
            .assert_status(StatusCode::NOT_FOUND);
        fake.post(API_KEY, &format!("/api/v1/deliveries/1/{action}"), "")
            .await
            .assert_status(StatusCode::FORBIDDEN);
    }
}

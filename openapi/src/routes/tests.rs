use poem::http::StatusCode;
use serde_json::{Value, json};

use super::TRIAL_BYTES_MAX;
use crate::fake::{API_KEY, Fake};

const EXPLAIN: &str = "/api/v1/routes/explain";

async fn json(response: poem::test::TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_route_is_found_by_its_name_and_leaves_out_what_is_not_set() {
    let fake = Fake::default();
    let route = fake.get_json("/api/v1/routes/failing%20payments").await;
    assert_eq!((&route["position"], &route["labels"]), (&1.into(), &json!({"team": "pay*"})));
    assert_eq!(route["sources"], json!([]));
    assert_eq!(fake.get_json("/api/v1/routes").await["items"][0], route);
    fake.get("/api/v1/routes/other").await.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn anyone_with_a_key_may_ask_what_the_routes_would_do() {
    let fake = Fake::default();
    let trial = r#"{"body": "{}", "source": "acme", "labels": {"team": "payments"}}"#;
    let response = fake.post(API_KEY, EXPLAIN, trial).await;
    response.assert_status_is_ok();
    let explanation = json(response).await;
    assert_eq!(explanation["routes"][0]["matched"], true);
    assert_eq!(explanation["targets"], json!([{"destination": "itoc360", "route": "runs"}]));
    assert_eq!(
        fake.filters(),
        ["RouteTrial { event_id: None, body: Some(\"{}\"), source: Some(\"acme\"), \
          labels: Some({\"team\": \"payments\"}) }"]
    );
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let fake = Fake::default();
    let response = fake.post(API_KEY, EXPLAIN, r#"{"body": "{}", "source": "nobody"}"#).await;
    response.assert_status(StatusCode::BAD_REQUEST);
    assert_eq!(json(response).await["detail"], "field `source`: there is no such source");
    let response = fake.post(API_KEY, EXPLAIN, r#"{"body": "{}", "sorce": "acme"}"#).await;
    assert_eq!(json(response).await["detail"], "there is no field `sorce`; did you mean `source`?");
}

#[tokio::test]
async fn a_body_may_be_larger_than_other_requests_but_not_without_end() {
    let large = |bytes: usize| -> &'static str { format!("{{\"body\": \"{}\"}}", "x".repeat(bytes)).leak() };
    let fake = Fake::default();
    fake.post(API_KEY, EXPLAIN, large(TRIAL_BYTES_MAX - 100)).await.assert_status_is_ok();
    let refused = fake.post(API_KEY, EXPLAIN, large(TRIAL_BYTES_MAX)).await;
    refused.assert_status(StatusCode::PAYLOAD_TOO_LARGE);
}

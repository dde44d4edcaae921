use poem::{http::StatusCode, test::TestResponse};
use serde_json::{Value, json};

use crate::fake::{API_KEY, Fake, OPERATOR_KEY};

const REPLAYS: &str = "/api/v1/replays";

async fn json_of(response: TestResponse) -> Value {
    response.assert_status_is_ok();
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_replay_is_begun_with_its_filter_in_the_name_of_the_key() {
    let fake = Fake::default();
    let body = r#"{"filter": {"state": "dead", "destination": "d", "event_id": "e", "kind": "activity", "source": "s",
        "subject": "u", "created_after": "2026-11-21T00:00:00Z", "created_before": "2026-11-22T00:00:00Z"},
        "per_second": 5}"#;
    let answer = json_of(fake.post(OPERATOR_KEY, REPLAYS, body).await).await;
    assert_eq!(answer, json!({"id": "1", "count": 7}));
    assert_eq!(
        fake.filters(),
        ["replay DeliveryFilter { state: Some(Dead), destination: Some(\"d\"), event_id: Some(\"e\"), \
          kind: Some(Activity), source: Some(\"s\"), subject: Some(\"u\"), \
          created_after: Some(Timestamp(2026-11-21T00:00:00Z)), \
          created_before: Some(Timestamp(2026-11-22T00:00:00Z)) } Some(5) by olga"]
    );
}

#[tokio::test]
async fn a_dry_run_counts_and_makes_nothing() {
    let fake = Fake::default();
    let answer = json_of(fake.post(OPERATOR_KEY, REPLAYS, r#"{"filter": {}, "dry_run": true}"#).await).await;
    assert_eq!(answer, json!({"count": 7}));
    assert!(fake.filters()[0].starts_with("count DeliveryFilter { state: None"), "{:?}", fake.filters());
    assert_eq!(fake.filters().len(), 1);
}

/// Posts a body that must be refused as one that cannot be read, and gives the detail.
async fn refused(body: &'static str) -> String {
    let fake = Fake::default();
    let response = fake.post(OPERATOR_KEY, REPLAYS, body).await;
    response.assert_status(StatusCode::BAD_REQUEST);
    assert!(fake.filters().is_empty(), "nothing was done for {body}");
    let problem: Value = serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
    assert_eq!(problem["code"], "invalid_body");
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_not_a_replay_is_refused_and_named() {
    let states = "pending, retrying, delivered, skipped, superseded, dead, cancelled";
    for (body, said) in [
        (r#"{"filter": {}, "dryrun": true}"#, "there is no field `dryrun`; did you mean `dry_run`?"),
        (
            r#"{"filter": {"destinaton": "d"}}"#,
            "there is no field `filter.destinaton`; did you mean `destination`?",
        ),
        (r#"{"dry_run": true}"#, "field `filter` is missing: expected an object, { … }"),
        (r#"{"filter": null}"#, "field `filter`: expected an object, { … }"),
        (r#"{"filter": [1]}"#, "field `filter`: expected an object, { … }"),
        ("7", "the body: expected an object, { … }"),
        (r#"{"filter": {}, "per_second": 0}"#, "field `per_second`: expected a whole number from 1 to 10000"),
        (
            r#"{"filter": {}, "per_second": 1.5}"#,
            "field `per_second`: expected a whole number from 1 to 10000",
        ),
        (r#"{"filter": {}, "dry_run": "yes"}"#, "field `dry_run`: expected true or false"),
        (r#"{"filter": {"source": 7}}"#, "field `filter.source`: expected a text"),
        (r#"{"filter": {"state": "lost"}}"#, &format!("field `filter.state`: expected one of {states}")),
        (
            r#"{"filter": {"created_after": "yesterday"}}"#,
            "field `filter.created_after`: expected a moment, such as 2026-11-21T09:30:00Z",
        ),
    ] {
        assert_eq!(refused(body).await, said, "{body}");
    }
    assert!(refused("{").await.starts_with("the body is not JSON: "));
}

#[tokio::test]
async fn replays_are_listed_found_and_cancelled() {
    let fake = Fake::with_events(3);
    assert_eq!(fake.walk(REPLAYS, 2).await, [vec!["3", "2"], vec!["1"]]);
    let listed = &fake.get_json(REPLAYS).await["items"][0];
    assert_eq!(listed.get("progress"), None);
    let found = fake.get_json("/api/v1/replays/3").await;
    assert_eq!(found["progress"], json!({"waiting": 1, "delivered": 2, "dead": 0, "other": 0}));
    assert_eq!(found["filter"], json!({"state": "dead"}));

    let cancelled = json_of(fake.post(OPERATOR_KEY, "/api/v1/replays/3/cancel", "").await).await;
    assert_eq!(cancelled["id"], "3");
    assert_eq!(fake.filters(), ["cancel replay 3 by olga"]);
    for response in
        [fake.get("/api/v1/replays/4").await, fake.post(OPERATOR_KEY, "/api/v1/replays/4/cancel", "").await]
    {
        response.assert_status(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_key_that_may_only_read_begins_nothing() {
    let fake = Fake::with_events(1);
    for (path, body) in [(REPLAYS, r#"{"filter": {}}"#), ("/api/v1/replays/1/cancel", "")] {
        fake.post(API_KEY, path, body).await.assert_status(StatusCode::FORBIDDEN);
    }
    assert!(fake.filters().is_empty());
}

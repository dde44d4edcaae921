use poem::http::StatusCode;
use serde_json::json;

use crate::fake::Fake;

#[tokio::test]
async fn pages_give_every_incident_once_newest_first() {
    let fake = Fake::with_events(3);
    assert_eq!(fake.walk("/api/v1/incidents", 2).await, [vec!["3", "2"], vec!["1"]]);
    assert_eq!(fake.get_json("/api/v1/incidents").await["items"][0].get("timeline"), None);
}

#[tokio::test]
async fn filters_reach_the_gateway() {
    let fake = Fake::default();
    let range = "since=2026-11-21T00:00:00Z&until=2026-11-22T00:00:00Z";
    fake.get_json(&format!("/api/v1/incidents?state=open&monitor=a%2Fb&{range}")).await;
    assert_eq!(
        fake.filters(),
        [
            "IncidentFilter { state: Some(Open), monitor: Some(\"a/b\"), since: Some(Timestamp(2026-11-21T00:00:00Z)), \
          until: Some(Timestamp(2026-11-22T00:00:00Z)) } PageRequest { limit: 50, after: None }"
        ]
    );
    fake.get("/api/v1/incidents?state=closed").await.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn one_incident_tells_what_happened_with_links_to_the_events() {
    let fake = Fake::with_events(1);
    let incident = fake.get_json("/api/v1/incidents/1").await;
    assert_eq!((&incident["state"], &incident["duration_s"]), (&json!("resolved"), &json!(600)));
    assert_eq!(
        incident["timeline"][2],
        json!({"at": "2026-09-21T14:23:20.125Z", "what": "resolved", "event_id": incident["resolved_by"]["event_id"]})
    );
    fake.get("/api/v1/incidents/2").await.assert_status(StatusCode::NOT_FOUND);
}

use poem::http::StatusCode;

use crate::fake::{API_KEY, Fake, OPERATOR_KEY};

#[tokio::test]
async fn destinations_are_listed_and_found_by_name() {
    let fake = Fake::default();
    let listed = fake.get_json("/api/v1/destinations").await["items"][0].clone();
    assert_eq!(listed, fake.get_json("/api/v1/destinations/itoc360").await);
    assert_eq!(listed["state"], "ready");
    assert_eq!(listed["sandbox"]["missing"][0]["layer"], "landlock");
    assert_eq!((&listed["process"]["pid"], &listed["process"]["restarts"]), (&4711.into(), &1.into()));
    assert_eq!(listed["health"]["detail"]["message"], "no answer");
    fake.get("/api/v1/destinations/none").await.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_destination_is_paused_and_resumed_in_the_name_of_the_key() {
    let fake = Fake::default();
    let response = fake.post(OPERATOR_KEY, "/api/v1/destinations/itoc360/pause", "").await;
    response.assert_status_is_ok();
    let paused: serde_json::Value =
        serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
    assert_eq!((&paused["gate"], &paused["paused_by"]), (&"held".into(), &"me".into()));
    // The fake cannot resume: its disk is full.
    let response = fake.post(OPERATOR_KEY, "/api/v1/destinations/itoc360/resume", "").await;
    response.assert_status(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fake.filters(), ["pause itoc360 by olga", "resume itoc360 by olga"]);
    fake.post(OPERATOR_KEY, "/api/v1/destinations/none/pause", "").await.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_that_may_only_read_pauses_nothing() {
    let fake = Fake::default();
    for action in ["pause", "resume"] {
        let path = format!("/api/v1/destinations/itoc360/{action}");
        let response = fake.post(API_KEY, &path, "").await;
        response.assert_status(StatusCode::FORBIDDEN);
        let problem: serde_json::Value =
            serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
        assert_eq!(problem["code"], "forbidden");
        fake.post("nobody's", &path, "").await.assert_status(StatusCode::UNAUTHORIZED);
    }
    assert!(fake.filters().is_empty());
}

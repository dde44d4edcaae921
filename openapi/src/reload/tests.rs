use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::fake::{ADMIN_KEY, Fake, OPERATOR_KEY};

const CONFIGURATION: &str = "/api/v1/config/reload";
const DESTINATION: &str = "/api/v1/destinations/itoc360/reload";

async fn json(response: poem::test::TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_reload_tells_what_it_has_changed_and_what_needs_a_restart() {
    let fake = Fake::default();
    let response = fake.post(ADMIN_KEY, CONFIGURATION, "").await;
    response.assert_status_is_ok();
    let reload = json(response).await;
    assert_eq!((&reload["generation"], &reload["reloaded"]), (&2.into(), &json!(["itoc360"])));
    assert_eq!(reload["needs_restart"], json!(["server.listen"]));
    assert_eq!(fake.filters(), ["reload by ada"]);
}

#[tokio::test]
async fn faults_are_all_told() {
    let fake =
        Fake::with_faults(&["p.toml:3: server.listen: not an address", "p.toml:9: route[0].to: missing"]);
    let response = fake.post(ADMIN_KEY, CONFIGURATION, "").await;
    response.assert_status(StatusCode::UNPROCESSABLE_ENTITY);
    let problem = json(response).await;
    assert_eq!(problem["code"], "config_faulty");
    assert_eq!(problem["reasons"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_destination_is_reloaded_in_the_name_of_the_key() {
    let fake = Fake::default();
    let response = fake.post(ADMIN_KEY, DESTINATION, "").await;
    response.assert_status_is_ok();
    assert_eq!(json(response).await["name"], "itoc360");
    fake.post(ADMIN_KEY, "/api/v1/destinations/none/reload", "").await.assert_status(StatusCode::NOT_FOUND);
    assert_eq!(fake.filters(), ["reload itoc360 by ada", "reload none by ada"]);
}

#[tokio::test]
async fn only_an_admin_reloads() {
    let fake = Fake::default();
    for path in [CONFIGURATION, DESTINATION] {
        fake.post(OPERATOR_KEY, path, "").await.assert_status(StatusCode::FORBIDDEN);
        fake.post("nobody's", path, "").await.assert_status(StatusCode::UNAUTHORIZED);
    }
    assert!(fake.filters().is_empty());
}

#[tokio::test]
async fn health_says_which_configuration_is_in_force() {
    for path in ["/health/live", "/health/ready"] {
        let health = Fake::default().get_json(path).await;
        assert_eq!(health["generation"], 2);
        assert_eq!(health["fingerprint"], "0123456789abcdef");
    }
}

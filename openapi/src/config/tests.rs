use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::fake::{ADMIN_KEY, Fake, OPERATOR_KEY};

const VALIDATE: &str = "/api/v1/config/validate";

async fn json(response: poem::test::TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_configuration_in_force_says_where_each_value_comes_from() {
    let config = Fake::default().get_json("/api/v1/config").await;
    assert_eq!((&config["generation"], &config["fingerprint"]), (&2.into(), &"0123456789abcdef".into()));
    assert_eq!(
        config["settings"][0],
        json!({
            "path": "server.listen", "value": "\"0.0.0.0:8080\"", "origin": "file", "line": 2,
            "needs_restart": false
        })
    );
}

#[tokio::test]
async fn an_admin_has_a_configuration_checked_and_sees_every_fault() {
    let fake = Fake::default();
    let response = fake.post(ADMIN_KEY, VALIDATE, r#"{"toml": "[[source]]"}"#).await;
    response.assert_status_is_ok();
    let check = json(response).await;
    assert_eq!((&check["valid"], &check["faults"][0]["line"]), (&false.into(), &3.into()));
    let response = fake.post(ADMIN_KEY, VALIDATE, r#"{"toml": ""}"#).await;
    assert_eq!(json(response).await, json!({"valid": true, "faults": []}));
    fake.post(OPERATOR_KEY, VALIDATE, r#"{"toml": ""}"#).await.assert_status(StatusCode::FORBIDDEN);
}

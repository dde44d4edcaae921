use serde_json::{Value, json};

use super::*;
use crate::fake::{ADMIN_KEY, FRESH_KEY, Fake, OPERATOR_KEY};

async fn json(response: poem::test::TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_key_is_made_and_shown() {
    let gateway = Fake::default();
    let body = r#"{"name": "grafana", "role": "viewer", "expires_at": "2027-01-01T00:00:00Z"}"#;
    let response = gateway.post(ADMIN_KEY, "/api/v1/keys", body).await;
    response.assert_status_is_ok();
    let expected = json!({
        "key": FRESH_KEY, "name": "grafana", "role": "viewer", "expires_at": "2027-01-01T00:00:00.000Z",
    });
    assert_eq!(json(response).await, expected);
    assert!(gateway.filters()[0].ends_with("by ada"), "{:?}", gateway.filters());
}

#[tokio::test]
async fn a_name_must_fit_into_a_path() {
    let gateway = Fake::default();
    for name in ["", "a b", "-a", "a/b", "ä", &"a".repeat(65)] {
        let body = json!({"name": name, "role": "viewer"}).to_string();
        let response = gateway.post(ADMIN_KEY, "/api/v1/keys", body.leak()).await;
        response.assert_status(poem::http::StatusCode::BAD_REQUEST);
        let detail = json(response).await["detail"].take();
        assert!(detail.as_str().unwrap().starts_with("field `name`"), "{detail}");
    }
    assert!(gateway.filters().is_empty());
}

#[tokio::test]
async fn only_admins_see_and_change_keys() {
    let gateway = Fake::default();
    let client = gateway.client();
    for (key, status) in [(OPERATOR_KEY, 403), (ADMIN_KEY, 200)] {
        for request in [client.get("/api/v1/keys"), client.delete("/api/v1/keys/grafana")] {
            let response = request.header("authorization", format!("Bearer {key}")).send().await;
            assert_eq!(response.0.status().as_u16(), status);
        }
    }
}

#[test]
fn a_key_that_was_made_does_not_print_itself() {
    let created = CreatedKey { key: Credential::new(FRESH_KEY), info: KeyInfo::example() };
    assert!(!format!("{created:?}").contains(FRESH_KEY));
}

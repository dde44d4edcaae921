use poem::{
    http::{Method, StatusCode},
    test::TestResponse,
};
use serde_json::Value;

use super::*;
use crate::fake::{ADMIN_KEY, Fake, OPERATOR_KEY, SESSION};

/// Asks with these headers.
async fn asked(gateway: &Fake, method: Method, path: &str, headers: &[(&'static str, &str)]) -> TestResponse {
    let client = gateway.client();
    let request = headers
        .iter()
        .fold(client.request(method, path), |request, (name, value)| request.header(*name, *value));
    request.send().await
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn cookie(value: &str) -> String {
    format!("{SESSION_COOKIE}={value}")
}

async fn json(response: TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

const SESSION_PATH: &str = "/api/v1/session";
const PAUSE: &str = "/api/v1/destinations/itoc360/pause";

#[tokio::test]
async fn a_key_gets_a_cookie_that_only_a_browser_of_the_same_site_sends() {
    let gateway = Fake::default();
    let response =
        asked(&gateway, Method::POST, SESSION_PATH, &[("authorization", &bearer(OPERATOR_KEY))]).await;
    response.assert_status_is_ok();
    let expected = "postroom_session=cookie-of-olga; Path=/; HttpOnly; SameSite=Strict; Max-Age=7200";
    response.assert_header("set-cookie", expected);
    assert_eq!(json(response).await["name"], "olga");
}

#[tokio::test]
async fn behind_https_the_cookie_is_for_https_alone() {
    let gateway = Fake::default();
    for headers in [
        &[("authorization", bearer(ADMIN_KEY))][..],
        &[("authorization", bearer(OPERATOR_KEY)), ("x-forwarded-proto", "https".to_owned())],
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let response = asked(&gateway, Method::POST, SESSION_PATH, &headers).await;
        let set = response.0.headers().get("set-cookie").unwrap().to_str().unwrap();
        assert!(set.ends_with("; Secure"), "{set}");
    }
}

#[tokio::test]
async fn a_session_begins_with_a_key_whatever_cookie_is_sent_along() {
    let gateway = Fake::default();
    let over = cookie("one-that-is-over");
    let headers = [("authorization", &*bearer(OPERATOR_KEY)), ("cookie", &over)];
    asked(&gateway, Method::POST, SESSION_PATH, &headers).await.assert_status_is_ok();
    let response = asked(&gateway, Method::POST, SESSION_PATH, &[("cookie", &cookie(SESSION))]).await;
    response.assert_status(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_cookie_lets_in_as_the_key_does_and_changes_come_from_own_pages_alone() {
    let gateway = Fake::default();
    let cookie = cookie(SESSION);
    asked(&gateway, Method::GET, "/api/v1/destinations", &[("cookie", &cookie)]).await.assert_status_is_ok();
    let keys = asked(&gateway, Method::GET, "/api/v1/keys", &[("cookie", &cookie)]).await;
    keys.assert_status(StatusCode::FORBIDDEN);
    for headers in [&[("cookie", &*cookie)][..], &[("cookie", &cookie), ("sec-fetch-site", "cross-site")]] {
        let response = asked(&gateway, Method::POST, PAUSE, headers).await;
        response.assert_status(StatusCode::FORBIDDEN);
    }
    assert!(gateway.filters().is_empty(), "{:?}", gateway.filters());
    let own = [("cookie", &*cookie), ("sec-fetch-site", "same-origin")];
    asked(&gateway, Method::POST, PAUSE, &own).await.assert_status_is_ok();
    let by_key = [("cookie", &*cookie), ("authorization", &*bearer(OPERATOR_KEY))];
    asked(&gateway, Method::POST, PAUSE, &by_key).await.assert_status_is_ok();
    let entries = gateway.audited();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.via, entry.outcome)).collect();
    use crate::audit::{AuditOutcome, AuditVia};
    let expected = [
        (AuditVia::Session, AuditOutcome::Refused),
        (AuditVia::Session, AuditOutcome::Refused),
        (AuditVia::Session, AuditOutcome::Done),
        (AuditVia::ApiKey, AuditOutcome::Done),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_cookie_that_is_over_is_a_refusal_also_beside_a_good_key_and_the_browser_forgets_it() {
    let gateway = Fake::default();
    let (over, good) = (cookie("one-that-is-over"), bearer(OPERATOR_KEY));
    for headers in [&[("cookie", &*over)][..], &[("cookie", &over), ("authorization", &good)]] {
        let response = asked(&gateway, Method::GET, "/api/v1/destinations", headers).await;
        response.assert_status(StatusCode::UNAUTHORIZED);
        let forgets = "postroom_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
        response.assert_header("set-cookie", forgets);
    }
    let (own, wrong) = (cookie(SESSION), bearer("nobodys"));
    let response =
        asked(&gateway, Method::GET, "/api/v1/destinations", &[("cookie", &own), ("authorization", &wrong)])
            .await;
    response.assert_status(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_asks_is_told_by_session_and_by_key() {
    let gateway = Fake::default();
    let by_session = asked(&gateway, Method::GET, SESSION_PATH, &[("cookie", &cookie(SESSION))]).await;
    assert!(json(by_session).await["expires_at"].is_string());
    let by_key =
        asked(&gateway, Method::GET, SESSION_PATH, &[("authorization", &bearer(OPERATOR_KEY))]).await;
    assert_eq!(json(by_key).await, serde_json::json!({"name": "olga", "role": "operator"}));
    let headers = [("cookie", &*cookie(SESSION)), ("authorization", &*bearer(ADMIN_KEY))];
    let both = asked(&gateway, Method::GET, SESSION_PATH, &headers).await;
    assert_eq!(json(both).await, serde_json::json!({"name": "ada", "role": "admin"}), "the key counts");
}

#[tokio::test]
async fn a_session_is_ended_and_a_key_is_not() {
    let gateway = Fake::default();
    let own = [("cookie", &*cookie(SESSION)), ("sec-fetch-site", "same-origin")];
    let response = asked(&gateway, Method::DELETE, SESSION_PATH, &own).await;
    response.assert_status_is_ok();
    assert!(response.0.headers().get("set-cookie").unwrap().to_str().unwrap().ends_with("Max-Age=0"));
    let by_key =
        asked(&gateway, Method::DELETE, SESSION_PATH, &[("authorization", &bearer(OPERATOR_KEY))]).await;
    by_key.assert_status(StatusCode::CONFLICT);
}

use poem::http::{Method, StatusCode, header};

use super::Credential;
use crate::{
    document,
    fake::{API_KEY, BUSY_KEY, Fake, GUESSED_KEY, TOKEN},
};

/// Every operation of the document that asks for an API key, as method and a path that can be asked for.
fn guarded() -> Vec<(Method, String)> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"][0].get("apiKey").is_some() {
                let path = path.replace("{id}", "1").replace("{name}", "itoc360");
                found.push((method.to_uppercase().parse().unwrap(), path));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_guarded_operation_refuses_callers_without_a_valid_key() {
    let client = Fake::with_events(1).client();
    assert!(guarded().len() >= 8);
    for (method, path) in guarded() {
        for authorization in [None, Some("Bearer nobodys"), Some("Bearer "), Some("Basic a2V5LW9mLW1lOg==")] {
            let mut request = client.request(method.clone(), &path);
            if let Some(authorization) = authorization {
                request = request.header(header::AUTHORIZATION, authorization);
            }
            let response = request.send().await;
            assert_eq!(
                response.0.status(),
                StatusCode::UNAUTHORIZED,
                "{method} {path} with {authorization:?}"
            );
            response.assert_header(header::WWW_AUTHENTICATE, "Bearer realm=\"postroom\"");
            response.assert_header(header::CONTENT_TYPE, "application/problem+json");
        }
    }
}

#[tokio::test]
async fn every_guarded_operation_lets_a_valid_key_in() {
    let client = Fake::with_events(1).client();
    for (method, path) in guarded() {
        let request = client.request(method.clone(), &path);
        let response = request.header(header::AUTHORIZATION, format!("bearer {API_KEY}")).send().await;
        assert_ne!(response.0.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn the_key_is_asked_for_before_the_parameters_are_looked_at() {
    let response = Fake::default().client().get("/api/v1/events?limit=x").send().await;
    response.assert_status(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_and_the_document_are_public() {
    let client = Fake::default().client();
    for path in ["/health/live", "/health/ready", "/openapi.json", "/docs"] {
        client.get(path).send().await.assert_status_is_ok();
    }
}

#[test]
fn a_credential_does_not_print_itself() {
    assert_eq!(format!("{:?}", Some(Credential::new(TOKEN))), "Some(Credential(***))");
}

#[tokio::test]
async fn a_bad_credential_beside_a_good_one_is_a_refusal() {
    let client = Fake::with_events(1).client();
    for other in ["Bearer nobodys", "Basic a2V5LW9mLW1lOg==", "nonsense"] {
        for first in [true, false] {
            let good = format!("Bearer {API_KEY}");
            let (one, two) = if first { (good.as_str(), other) } else { (other, good.as_str()) };
            let mut request = client.get("/api/v1/events");
            for value in [one, two] {
                request = request.header(header::AUTHORIZATION, value);
            }
            request.send().await.assert_status(StatusCode::UNAUTHORIZED);
        }
    }
}

#[tokio::test]
async fn whoever_asks_too_much_is_told_when_to_come_back() {
    for key in [GUESSED_KEY, BUSY_KEY] {
        let client = Fake::with_events(1).client();
        let request = client.get("/api/v1/events").header(header::AUTHORIZATION, format!("Bearer {key}"));
        let response = request.send().await;
        response.assert_status(StatusCode::TOO_MANY_REQUESTS);
        response.assert_header(header::RETRY_AFTER, "2");
    }
}

use poem::http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use super::is_known;
use crate::{
    document,
    fake::{API_KEY, Fake, event},
};

async fn ask(fake: &Fake, path: &str, known: Option<&str>) -> (StatusCode, Option<String>, String) {
    let client = fake.client();
    let mut request = client.get(path).header(header::AUTHORIZATION, format!("Bearer {API_KEY}"));
    if let Some(known) = known {
        request = request.header(header::IF_NONE_MATCH, known);
    }
    let response = request.send().await.0;
    let tag = response.headers().get(header::ETAG).map(|tag| tag.to_str().unwrap().to_owned());
    (response.status(), tag, response.into_body().into_string().await.unwrap())
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    let fake = Fake::with_events(2);
    let path = format!("/api/v1/events/{}", event(1).id);
    let (status, tag, body) = ask(&fake, &path, None).await;
    let tag = tag.unwrap();
    assert_eq!((status, tag.len()), (StatusCode::OK, 34), "{tag}");
    assert!(tag.starts_with('"') && tag.ends_with('"') && !body.is_empty());
    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let (status, again, body) = ask(&fake, &path, Some(&known)).await;
        assert_eq!((status, again, &body[..]), (StatusCode::NOT_MODIFIED, Some(tag.clone()), ""), "{known}");
    }
    let other = format!("/api/v1/events/{}", event(2).id);
    let (status, another, body) = ask(&fake, &other, Some(&tag)).await;
    assert_eq!((status, another == Some(tag)), (StatusCode::OK, false), "{body}");
}

#[tokio::test]
async fn a_304_says_no_more_than_it_must() {
    let fake = Fake::default();
    let client = fake.client();
    let request =
        client.get("/api/v1/sources/acme").header(header::AUTHORIZATION, format!("Bearer {API_KEY}"));
    let response = request.header(header::IF_NONE_MATCH, "*").send().await.0;
    assert_eq!(response.headers().get(header::CONTENT_TYPE), None);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(fake.seen(), [("getSource", 304)]);
}

#[tokio::test]
async fn a_tagged_answer_is_kept_by_whoever_asked_and_a_head_has_the_same_tag() {
    let client = Fake::default().client();
    let key = format!("Bearer {API_KEY}");
    let read = client.get("/api/v1/sources/acme").header(header::AUTHORIZATION, &key).send().await;
    let head = client.head("/api/v1/sources/acme").header(header::AUTHORIZATION, &key).send().await;
    for answer in [&read, &head] {
        answer.assert_header(header::CACHE_CONTROL, "private, no-cache");
        answer.assert_header(header::VARY, "Authorization, Cookie");
    }
    assert_eq!(read.0.headers()[header::ETAG], head.0.headers()[header::ETAG]);
    assert!(head.0.into_body().into_string().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_document_has_a_tag_and_is_for_everybody() {
    let client = Fake::default().client();
    let read = client.get("/openapi.json").send().await;
    read.assert_header(header::CACHE_CONTROL, "no-cache");
    let tag = read.0.headers()[header::ETAG].clone();
    let again = client.get("/openapi.json").header(header::IF_NONE_MATCH, tag).send().await;
    again.assert_status(StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn errors_bodies_and_health_have_no_tag() {
    let fake = Fake::with_events(1);
    for path in [
        "/api/v1/events/none",
        &format!("/api/v1/events/{}/body", event(1).id),
        "/health/live",
        "/metrics",
        "/api/v1/nonsense",
    ] {
        let (status, tag, body) = ask(&fake, path, Some("*")).await;
        assert_ne!(status, StatusCode::NOT_MODIFIED, "{path}");
        assert!(tag.is_none() && !body.is_empty(), "{path}");
    }
}

#[test]
fn a_tag_is_known_by_itself_only() {
    for (known, expected) in [
        ("\"a\"", true),
        ("W/\"a\"", true),
        ("\"b\",\"a\"", true),
        ("*", true),
        ("a", false),
        ("\"ab\"", false),
        ("", false),
    ] {
        assert_eq!(is_known(&HeaderValue::from_static(known), "\"a\""), expected, "{known}");
    }
}

#[test]
fn the_document_says_which_answers_have_one() {
    let document = document();
    let headers = |path: &str, method: &str| {
        let answer = &document["paths"][path][method]["responses"]["200"];
        answer["headers"].as_object().map(|headers| headers.keys().cloned().collect::<Vec<_>>())
    };
    for path in ["/api/v1/events/{id}", "/api/v1/config", "/api/v1/monitors/{uid}", "/api/v1/deliveries"] {
        assert_eq!(headers(path, "get"), Some(vec!["ETag".to_owned()]), "{path}");
    }
    for (path, method) in
        [("/api/v1/deliveries/{id}/retry", "post"), ("/health/live", "get"), ("/metrics", "get")]
    {
        assert_eq!(headers(path, method), None, "{path}");
    }
    assert_eq!(document["paths"]["/api/v1/config"]["get"]["responses"].get("304"), None::<&Value>);
}

use poem::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::fake::{ADMIN_KEY, API_KEY, Fake, OPERATOR_KEY};

const RUN: &str = "/api/v1/destinations/itoc360/actions/restore";

/// Runs the action with this query and body; the status and what was said.
async fn run(fake: &Fake, query: &str, body: &'static str) -> (StatusCode, Value) {
    let response = fake.post(ADMIN_KEY, &format!("{RUN}{query}"), body).await.0;
    let status = response.status();
    (status, serde_json::from_str(&response.into_body().into_string().await.unwrap()).unwrap())
}

#[tokio::test]
async fn actions_are_listed_with_their_schemas() {
    let listed = Fake::default().get_json("/api/v1/destinations/itoc360/actions").await;
    assert_eq!(listed["items"][0]["name"], "restore");
    assert_eq!(listed["items"][0]["danger"], true);
    assert_eq!(listed["items"][0]["input_schema"]["type"], "object");
    let nowhere = Fake::default().get("/api/v1/destinations/none/actions").await;
    nowhere.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_action_is_run_in_the_name_of_the_key_with_its_input_and_time() {
    let fake = Fake::default();
    let (status, done) = run(&fake, "", r#"{"version": 7}"#).await;
    assert_eq!((status, done), (StatusCode::OK, json!({ "output": { "input": { "version": 7 } } })));
    // No body at all is an empty object.
    let (_, done) = run(&fake, "?timeout=5", "").await;
    assert_eq!(done["output"]["input"], json!({}));
    assert_eq!(fake.filters(), ["run itoc360/restore for 60s by ada", "run itoc360/restore for 5s by ada"]);
}

#[tokio::test]
async fn only_an_admin_runs_actions() {
    let fake = Fake::default();
    for key in [API_KEY, OPERATOR_KEY] {
        fake.post(key, RUN, "{}").await.assert_status(StatusCode::FORBIDDEN);
    }
    fake.post("nobody's", RUN, "{}").await.assert_status(StatusCode::UNAUTHORIZED);
    assert!(fake.filters().is_empty());
}

#[tokio::test]
async fn what_is_no_input_is_refused() {
    let fake = Fake::default();
    for body in ["[]", "7", "{", "null"] {
        let (status, problem) = run(&fake, "", body).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_body")), "{body}");
    }
    for query in ["?timeout=0", "?timeout=3601", "?timeout=x", "?time=5"] {
        let (status, problem) = run(&fake, query, "").await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_parameter")),
            "{query}"
        );
    }
    let client = fake.client();
    let typed = client.post(RUN).header(header::AUTHORIZATION, format!("Bearer {ADMIN_KEY}")).body("{}");
    typed.send().await.assert_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = client.post(RUN).header(header::AUTHORIZATION, format!("Bearer {ADMIN_KEY}"));
    let large = large.content_type("application/json").body(" ".repeat(1024 * 1024 + 1));
    large.send().await.assert_status(StatusCode::PAYLOAD_TOO_LARGE);
    assert!(fake.filters().is_empty());
}

#[tokio::test]
async fn each_refusal_has_a_status_and_a_code_of_its_own() {
    let fake = Fake::default();
    for (input, status, code) in [
        (r#"{"fail": "unknown"}"#, 404, "not_found"),
        (r#"{"fail": "input"}"#, 422, "invalid_input"),
        (r#"{"fail": "large"}"#, 413, "body_too_large"),
        (r#"{"fail": "missing"}"#, 404, "not_found"),
        (r#"{"fail": "refused"}"#, 409, "conflict"),
        (r#"{"fail": "unavailable"}"#, 503, "unavailable"),
        (r#"{"fail": "late"}"#, 504, "action_timeout"),
        (r#"{"fail": "failed"}"#, 502, "plugin_failed"),
    ] {
        let (found, problem) = run(&fake, "", input).await;
        assert_eq!((found.as_u16(), &problem["code"]), (status, &json!(code)), "{problem}");
    }
    let (_, problem) = run(&fake, "", r#"{"fail": "input"}"#).await;
    assert_eq!(problem["reasons"], json!(["/name: is missing"]));
    let nowhere = fake.post(ADMIN_KEY, "/api/v1/destinations/none/actions/restore", "").await;
    nowhere.assert_status(StatusCode::NOT_FOUND);
}

use poem::http::{Method, StatusCode};
use serde_json::json;

use crate::{
    audit::{AuditOutcome, AuditVia, NewAuditEntry, Trail, trail::LOOKS},
    auth::{Caller, Role},
    document,
    fake::{ADMIN_KEY, API_KEY, Fake, OPERATOR_KEY},
    operations::Object,
    problem::Code,
};

/// What the only request so far left in the audit log.
#[track_caller]
fn only(gateway: &Fake) -> NewAuditEntry {
    let mut entries = gateway.audited();
    assert_eq!(entries.len(), 1, "{entries:#?}");
    entries.remove(0)
}

#[tokio::test]
async fn a_change_is_kept_with_who_what_and_how_it_stood() {
    let gateway = Fake::default();
    let client = gateway.client();
    let request = client.post("/api/v1/destinations/itoc360/pause").header("x-request-id", "it.1");
    request.header("authorization", format!("Bearer {OPERATOR_KEY}")).send().await.assert_status_is_ok();
    let expected = NewAuditEntry {
        who: "olga".to_owned(),
        via: AuditVia::ApiKey,
        operation: "pauseDestination".to_owned(),
        object: Some("destinations/itoc360".to_owned()),
        before: json!({"gate": "open"}).as_object().cloned(),
        after: json!({"gate": "held"}).as_object().cloned(),
        outcome: AuditOutcome::Done,
        code: None,
        request_id: Some("it.1".to_owned()),
    };
    assert_eq!(only(&gateway), expected);
}

#[track_caller]
fn check(entry: &NewAuditEntry, outcome: AuditOutcome, code: Code, object: Option<&str>) {
    assert_eq!((entry.outcome, entry.code, entry.object.as_deref()), (outcome, Some(code), object));
    assert_eq!(entry.after, None);
}

#[tokio::test]
async fn what_was_not_done_is_kept_too() {
    let gateway = Fake::with_events(2);
    gateway.post(API_KEY, "/api/v1/destinations/itoc360/pause", "").await;
    check(&only(&gateway), AuditOutcome::Refused, Code::Forbidden, Some("destinations/…"));
    let gateway = Fake::with_events(2);
    gateway.post(OPERATOR_KEY, "/api/v1/deliveries/2/cancel", "").await;
    check(&only(&gateway), AuditOutcome::Refused, Code::Conflict, Some("deliveries/…"));
    let gateway = Fake::default();
    gateway.post(OPERATOR_KEY, "/api/v1/destinations/itoc360/resume", "").await;
    check(&only(&gateway), AuditOutcome::Failed, Code::Unavailable, Some("destinations/…"));
}

#[tokio::test]
async fn a_secret_in_the_place_of_a_name_is_not_kept_with_what_was_not_done() {
    let gateway = Fake::default();
    gateway.post(OPERATOR_KEY, "/api/v1/destinations/my-password/pause", "").await;
    check(&only(&gateway), AuditOutcome::Refused, Code::NotFound, Some("destinations/…"));
    let gateway = Fake::default();
    gateway.post(OPERATOR_KEY, "/api/v1/destinations/my-password/resume", "").await;
    check(&only(&gateway), AuditOutcome::Failed, Code::Unavailable, Some("destinations/…"));
    let gateway = Fake::default();
    gateway.post(OPERATOR_KEY, "/api/v1/destinations/my-password/actions/my-pin", "[]").await;
    let entry = only(&gateway);
    assert_eq!(entry.object.as_deref(), Some("destinations/…/actions/…"), "{entry:?}");
    let gateway = Fake::default();
    let client = gateway.client();
    let request = client.request(Method::DELETE, "/api/v1/keys/my-password");
    request.header("authorization", format!("Bearer {OPERATOR_KEY}")).send().await;
    check(&only(&gateway), AuditOutcome::Refused, Code::Forbidden, Some("keys/…"));
}

#[tokio::test]
async fn what_only_looks_and_what_nobody_known_wants_is_not_kept() {
    let gateway = Fake::default();
    gateway.get("/api/v1/destinations").await.assert_status_is_ok();
    gateway.post("nobodys", "/api/v1/destinations/itoc360/pause", "").await;
    gateway
        .post(OPERATOR_KEY, "/api/v1/replays", r#"{"filter": {}, "dry_run": true}"#)
        .await
        .assert_status_is_ok();
    let event = r#"{"event_id": "018f2f3a-0000-7000-8000-000000000001"}"#;
    gateway.post(OPERATOR_KEY, "/api/v1/routes/explain", event).await;
    gateway.post(ADMIN_KEY, "/api/v1/config/validate", r#"{"toml": ""}"#).await.assert_status_is_ok();
    // Whatever becomes of them: they are known by what they are, not by how far they come.
    for path in ["/api/v1/routes/explain", "/api/v1/config/validate"] {
        gateway.post(ADMIN_KEY, path, "no JSON").await.assert_status(StatusCode::BAD_REQUEST);
    }
    gateway.post(API_KEY, "/api/v1/config/validate", "{}").await.assert_status(StatusCode::FORBIDDEN);
    assert!(gateway.audited().is_empty(), "{:#?}", gateway.audited());
    gateway.post(OPERATOR_KEY, "/api/v1/replays", r#"{"filter": {}}"#).await.assert_status_is_ok();
    assert_eq!(only(&gateway).operation, "createReplay");
}

#[tokio::test]
async fn a_key_that_is_made_is_named() {
    let gateway = Fake::default();
    gateway
        .post(ADMIN_KEY, "/api/v1/keys", r#"{"name": "ci", "role": "viewer"}"#)
        .await
        .assert_status_is_ok();
    assert_eq!(only(&gateway).object.as_deref(), Some("keys/ci"));
}

#[tokio::test]
async fn the_log_is_read_in_pages_by_admins() {
    let gateway = Fake::with_events(3);
    gateway.get("/api/v1/audit").await.assert_status(poem::http::StatusCode::FORBIDDEN);
    let client = gateway.client();
    let request = client.get("/api/v1/audit?who=me&operation=createKey&since=2026-01-01T00:00:00Z&limit=2");
    let response = request.header("authorization", format!("Bearer {ADMIN_KEY}")).send().await;
    response.assert_status_is_ok();
    assert!(gateway.filters()[0].contains("createKey"), "{:?}", gateway.filters());
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_an_entry_that_says_so() {
    let gateway = Fake::default();
    let begin = || {
        let object = Object { named: "destinations/a".to_owned(), kind: "destinations/…".to_owned() };
        Trail::begin(gateway.clone(), "pauseDestination", Some(object), "it.1")
    };
    drop(begin());
    assert!(gateway.audited().is_empty(), "nobody known wanted it");
    let trail = begin();
    let caller = Caller::new("olga", Role::Operator);
    trail.known().is(&caller);
    caller.note.after(json!({"gate": "held"}));
    drop(trail);
    let entry = only(&gateway);
    assert_eq!((entry.who.as_str(), entry.outcome), ("olga", AuditOutcome::Unknown));
    assert_eq!((entry.code, entry.after), (None, None), "it may not have come to that");
    assert_eq!(entry.object.as_deref(), Some("destinations/…"));
}

#[test]
fn what_only_looks_is_offered_under_these_names() {
    let document = document();
    let offered = |id: &str| {
        let paths = document["paths"].as_object().unwrap();
        paths.values().any(|path| path["post"]["operationId"] == id)
    };
    for id in LOOKS {
        assert!(offered(id), "{id}");
    }
}

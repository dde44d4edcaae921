use poem::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::fake::{API_KEY, BREAKS_OFF, Fake, OPERATOR_KEY};

const MONITORS: &str = "/api/v1/monitors";

async fn json_of(response: poem::test::TestResponse) -> Value {
    response.assert_status_is_ok();
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn pages_give_every_monitor_once() {
    let fake = Fake::with_events(5);
    let page = fake.get_json("/api/v1/monitors?limit=3").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = fake.get_json(&format!("/api/v1/monitors?limit=3&cursor={cursor}")).await;
    let uids: Vec<&str> = [&page, &rest]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|monitor| monitor["uid"].as_str().unwrap())
        .collect();
    assert_eq!(uids, ["5", "4", "3", "2", "1"]);
    assert_eq!(rest.get("next_cursor"), None);
    assert_eq!((page["items"][0].get("slo"), page["items"][0].get("last_run")), (None, None));
}

#[tokio::test]
async fn filters_reach_the_gateway() {
    let fake = Fake::default();
    fake.get_json(
        "/api/v1/monitors?text=Check&verdict=failed&silent=true&incident=open&muted=false&source=a&label=team%3Da%3Db",
    )
    .await;
    fake.get_json("/api/v1/monitors?incident=none&label=team").await;
    let page = "PageRequest { limit: 50, after: None }";
    assert_eq!(
        fake.filters(),
        [
            format!(
                "MonitorFilter {{ text: Some(\"Check\"), verdict: Some(Failed), silent: Some(true), incident: Some(Open), \
                 muted: Some(false), source: Some(\"a\"), label: Some((\"team\", Some(\"a=b\"))) }} {page}"
            ),
            format!(
                "MonitorFilter {{ text: None, verdict: None, silent: None, incident: Some(None), muted: None, \
                 source: None, label: Some((\"team\", None)) }} {page}"
            ),
        ]
    );
    fake.get("/api/v1/monitors?incident=closed").await.assert_status(StatusCode::BAD_REQUEST);
    fake.get("/api/v1/monitors?silent=maybe").await.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn one_monitor_has_all_there_is_to_know() {
    let fake = Fake::with_events(2);
    let monitor = fake.get_json("/api/v1/monitors/2").await;
    for (field, expected) in [
        ("/last_verdict", json!("failed")),
        ("/last_run_at", json!("2026-09-21T14:13:20.125Z")),
        ("/silent", json!(false)),
        ("/incident/severity", json!("error")),
        ("/phase", json!("open")),
        ("/notification_policy", json!("every_run")),
        ("/last_run/verdict", json!("failed")),
        ("/slo/target", json!(0.999)),
        ("/expected_every_s", json!(300)),
    ] {
        assert_eq!(monitor.pointer(field), Some(&expected), "{field}");
    }
    assert_eq!(monitor.get("mute"), None, "absent and not null");
    fake.get("/api/v1/monitors/9").await.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn runs_come_in_pages_newest_first() {
    let fake = Fake::with_events(3);
    let runs = "/api/v1/monitors/1/runs";
    let page =
        fake.get_json(&format!("{runs}?limit=2&since=2026-11-21T00:00:00Z&until=2026-11-22T00:00:00Z")).await;
    assert_eq!((&page["resolution"], page.get("buckets")), (&json!("run"), None));
    let ids = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|run| run["event_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&page), ["3", "2"]);
    // What was not sent is absent.
    assert_eq!(page["items"][1].as_object().unwrap().len(), 3, "{page}");
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = fake.get_json(&format!("{runs}?limit=2&cursor={cursor}")).await;
    assert_eq!((ids(&rest), rest.get("next_cursor")), (vec![json!("1")], None));
    assert_eq!(
        fake.filters()[0],
        "RunRange { since: Some(Timestamp(2026-11-21T00:00:00Z)), until: Some(Timestamp(2026-11-22T00:00:00Z)) } \
         PageRequest { limit: 2, after: None }"
    );
    fake.get("/api/v1/monitors/9/runs").await.assert_status(StatusCode::NOT_FOUND);
    let of_monitors =
        fake.get_json("/api/v1/monitors?limit=1").await["next_cursor"].as_str().unwrap().to_owned();
    fake.get(&format!("{runs}?cursor={of_monitors}")).await.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn runs_are_summed_up_in_a_time_zone() {
    let fake = Fake::with_events(1);
    let sums = fake.get_json("/api/v1/monitors/1/runs?resolution=day&time_zone=Europe/Berlin").await;
    assert_eq!((sums.get("items"), sums.get("next_cursor")), (None, None));
    assert_eq!(sums["buckets"][0]["availability"], 0.996_528);
    assert!(
        fake.filters()[0].ends_with("resolution: Day, time_zone: \"Europe/Berlin\" }"),
        "{:?}",
        fake.filters()
    );
    let refused = fake.get("/api/v1/monitors/1/runs?resolution=week&time_zone=Mars").await;
    refused.assert_status(StatusCode::BAD_REQUEST);
    fake.get("/api/v1/monitors/9/runs?resolution=day").await.assert_status(StatusCode::NOT_FOUND);
    fake.get("/api/v1/monitors/1/runs?resolution=year").await.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn runs_are_a_file_that_a_spreadsheet_reads() {
    let fake = Fake::with_events(1);
    let response = fake.get("/api/v1/monitors/1/runs?format=csv").await;
    response.assert_status_is_ok();
    response.assert_header(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
    response.assert_header(header::CONTENT_DISPOSITION, "attachment; filename=\"runs-1.csv\"");
    response
        .assert_text(
            "at,verdict,requests,latency_mean_ms,latency_total_ms,passed_tests,failed_tests,errors,warnings,event_id,\
             monitor_uid,monitor_name\r\n\
             2026-09-21T14:13:20.125Z,failed,4,180.5,722,11,1,0,0,1,1,\"'=monitor \"\"1\"\"\"\r\n\
             2026-09-21T14:18:20.000Z,unknown,,,,,,,,2,1,\"'=monitor \"\"1\"\"\"\r\n",
        )
        .await;

    let sums = fake.get("/api/v1/monitors/1/runs?format=csv&resolution=day").await;
    sums.assert_text(
        "start,runs,passed,failed,unknown,availability,latency_mean_ms,latency_p50_ms,latency_p95_ms,requests,\
         failed_tests,errors,monitor_uid,monitor_name\r\n\
         2026-09-21T00:00:00.000Z,288,287,1,0,0.996528,172.25,168,240.5,1152,1,0,1,\"'=monitor \"\"1\"\"\"\r\n",
    )
    .await;
    fake.get("/api/v1/monitors/9/runs?format=csv").await.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_to_its_end_breaks_off() {
    let response = Fake::with_events(7).get(&format!("{MONITORS}/{BREAKS_OFF}/runs?format=csv")).await;
    response.assert_status_is_ok();
    assert!(response.0.into_body().into_string().await.is_err());
}

#[tokio::test]
async fn a_monitor_is_muted_and_unmuted_in_the_name_of_the_key() {
    let fake = Fake::with_events(1);
    let path = "/api/v1/monitors/1/mute";
    let muted = json_of(fake.post(OPERATOR_KEY, path, r#"{"for_s": 7200, "reason": "deploy"}"#).await).await;
    assert_eq!(muted["mute"], json!({"until": "2026-09-21T14:13:20.000Z", "by": "olga", "reason": "deploy"}));
    json_of(fake.post(OPERATOR_KEY, path, r#"{"until": "2026-11-22T10:00:00Z"}"#).await).await;
    let client = fake.client();
    let unmute = |key: &str| {
        client.request(Method::DELETE, path).header(header::AUTHORIZATION, format!("Bearer {key}")).send()
    };
    unmute(OPERATOR_KEY).await.assert_status_is_ok();
    assert_eq!(
        fake.filters(),
        [
            "mute 1 Seconds(7200) Some(\"deploy\") by olga",
            "mute 1 Moment(Timestamp(2026-11-22T10:00:00Z)) None by olga",
            "unmute 1 by olga",
        ]
    );
    unmute(API_KEY).await.assert_status(StatusCode::FORBIDDEN);
    fake.post(API_KEY, path, r#"{"for_s": 1}"#).await.assert_status(StatusCode::FORBIDDEN);
    fake.post(OPERATOR_KEY, "/api/v1/monitors/9/mute", r#"{"for_s": 1}"#)
        .await
        .assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_monitor_is_forgotten_in_the_name_of_the_key() {
    let fake = Fake::with_events(1);
    let client = fake.client();
    let forget = |key: &str, uid: &str| {
        let request = client.request(Method::DELETE, format!("{MONITORS}/{uid}"));
        request.header(header::AUTHORIZATION, format!("Bearer {key}")).send()
    };
    let forgotten = json_of(forget(OPERATOR_KEY, "1").await).await;
    assert_eq!((&forgotten["uid"], &forgotten["was_silent"]), (&json!("1"), &json!(false)));
    assert_eq!(fake.filters(), ["forget 1 by olga"]);
    forget(OPERATOR_KEY, "9").await.assert_status(StatusCode::NOT_FOUND);
    forget(API_KEY, "1").await.assert_status(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_mute_that_cannot_be_meant_is_refused() {
    let long: &'static str = format!(r#"{{"for_s": 1, "reason": "{}"}}"#, "x".repeat(201)).leak();
    for (body, said) in [
        ("{}", "say how long: either `until` a moment, or `for_s` seconds"),
        (
            r#"{"for_s": 1, "until": "2026-11-22T10:00:00Z"}"#,
            "say how long: either `until` a moment, or `for_s` seconds",
        ),
        (r#"{"for_s": 0}"#, "field `for_s`: expected a whole number from 1 to 31536000"),
        (r#"{"fors": 1}"#, "there is no field `fors`; did you mean `for_s`?"),
        (r#"{"until": "soon"}"#, "field `until`: expected a moment, such as 2026-11-21T09:30:00Z"),
        (long, "field `reason`: at most 200 characters"),
    ] {
        let fake = Fake::with_events(1);
        let response = fake.post(OPERATOR_KEY, "/api/v1/monitors/1/mute", body).await;
        response.assert_status(StatusCode::BAD_REQUEST);
        let problem: Value =
            serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap();
        assert_eq!((&problem["code"], &problem["detail"]), (&json!("invalid_body"), &json!(said)), "{body}");
        assert!(fake.filters().is_empty());
    }
}

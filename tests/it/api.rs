//! The HTTP API as its users meet it.

use std::collections::BTreeSet;

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, body, random_token},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{retry, start};

#[tokio::test]
async fn every_protected_operation_wants_an_api_key() {
    // Many wrong keys from one address, which is slowed down otherwise.
    let config = Config::new().section("api", "failures_per_minute = 100000");
    let gateway = start(config).await;
    let document = Answer::to(gateway.client().request(Method::GET, "/openapi.json")).await.json();
    let mut protected = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let Some(security) = operation["security"].as_array() else { continue };
            let wants_key = security.iter().any(|scheme| scheme.get("apiKey").is_some());
            protected += usize::from(wants_key);
            let method: Method = method.to_uppercase().parse().unwrap();
            check_protection(&gateway, &method, &path.replace(['{', '}'], ""), wants_key).await;
        }
    }
    assert!(protected >= 8, "only {protected} operations want a key");
}

async fn check_protection(gateway: &TestGateway, method: &Method, path: &str, wants_key: bool) {
    let request = || gateway.client().request(method.clone(), path);
    let source_token = gateway.config().token();
    for request in [request(), request().bearer_auth(random_token()), request().bearer_auth(source_token)] {
        let answer = Answer::to(request).await;
        // A hook has tokens of its own and no source called "source".
        if wants_key || path.starts_with("/hooks/") {
            answer.assert_problem(401, "unauthorized");
            assert!(!answer.header("www-authenticate").is_empty(), "{path}");
        } else {
            assert_ne!(answer.status, 401, "{path}");
        }
    }
    if wants_key {
        // Without its body: that of the stream has no end.
        let asked = gateway.client().request(Method::GET, path).bearer_auth(gateway.config().api_key());
        assert_ne!(asked.send().await.unwrap().status(), 401, "{path}");
    }
}

#[tokio::test]
async fn pages_of_a_list_join_to_the_whole_list_newest_first() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/"), "").route("all", "", "target");
    let gateway = start(config).await;
    let mut sent = Vec::new();
    for number in 1..=7 {
        sent.push(gateway.accept(body::numbered_run("m", number)).await);
    }
    sent.reverse();
    gateway.settled().await;
    for (list, id) in [("events", "id"), ("deliveries", "event_id")] {
        check_pages(&gateway, &format!("/api/v1/{list}"), id, &sent).await;
    }
}

async fn check_pages(gateway: &TestGateway, path: &str, id: &str, expected: &[String]) {
    let mut ids = Vec::new();
    let mut sizes = Vec::new();
    let mut cursor = String::new();
    while sizes.len() < 10 {
        let page = gateway.get(&format!("{path}?limit=3{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        ids.extend(items.iter().map(|item| item[id].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((&sizes[..], &ids[..]), (&[3, 3, 1][..], expected), "{path}");
    for bad in ["limit=0", "limit=501", "limit=x", "cursor=made-up"] {
        gateway.ask(&format!("{path}?{bad}")).await.assert_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn lists_are_filtered() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .forward("one", &target.url("/"), &retry(0, ""))
        .forward("two", &target.url("/"), &retry(0, ""))
        .route("runs", "kinds = [\"monitor_run\"]", "one")
        .route("all", "", "two");
    let gateway = start(config).await;
    target.script([503]);
    let first = gateway.accept(body::activity("update")).await;
    gateway.delivery_in_state(&first, "two", "dead").await;
    let run = gateway.accept(body::monitor_run("m", 0)).await;
    let other = gateway.accept(body::monitor_run("n", 0)).await;
    gateway.settled().await;

    let check = async |path: &str, id: &str, expected: &[&String]| {
        let found: BTreeSet<String> =
            gateway.list(path).await.iter().map(|item| item[id].as_str().unwrap().to_owned()).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{path}");
    };
    check("/api/v1/events?kind=monitor_run", "id", &[&run, &other]).await;
    check("/api/v1/events?kind=unrecognized", "id", &[]).await;
    check("/api/v1/events?subject=m", "id", &[&run]).await;
    check("/api/v1/events?source=postman&kind=activity", "id", &[&first]).await;
    check("/api/v1/events?source=nobody", "id", &[]).await;
    check("/api/v1/deliveries?state=dead", "event_id", &[&first]).await;
    check("/api/v1/deliveries?destination=one", "event_id", &[&run, &other]).await;
    check(&format!("/api/v1/deliveries?event_id={run}&destination=two"), "event_id", &[&run]).await;
    check("/api/v1/deliveries?kind=activity", "event_id", &[&first]).await;
    check("/api/v1/deliveries?subject=n&destination=one", "event_id", &[&other]).await;
    check("/api/v1/deliveries?source=postman&state=delivered&kind=monitor_run", "event_id", &[&run, &other])
        .await;
    check("/api/v1/deliveries?source=nobody", "event_id", &[]).await;
    let since = gateway.delivery(&run, "one").await["created_at"].as_str().unwrap().to_owned();
    check(&format!("/api/v1/deliveries?created_after={since}"), "event_id", &[&run, &other]).await;
    check(&format!("/api/v1/deliveries?created_before={since}"), "event_id", &[&first]).await;
    gateway.ask("/api/v1/deliveries?created_after=today").await.assert_problem(400, "invalid_parameter");
    gateway.ask("/api/v1/events?kind=monitor_nonsense").await.assert_problem(400, "invalid_parameter");
    gateway.ask("/api/v1/deliveries?state=nonsense").await.assert_problem(400, "invalid_parameter");
    let slip = gateway.ask("/api/v1/deliveries?sate=dead").await;
    slip.assert_problem(400, "invalid_parameter");
    assert_eq!(slip.json()["detail"], "there is no parameter `sate`; did you mean `state`?");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_that_says_so() {
    let gateway = start(Config::new()).await;
    for path in [
        "/api/v1/events/018f2f3a-0000-7000-8000-000000000000",
        "/api/v1/events/nonsense",
        "/api/v1/events/018f2f3a-0000-7000-8000-000000000000/body",
        "/api/v1/deliveries/1234567",
        "/api/v1/deliveries/nonsense",
        "/api/v1/destinations/nobody",
        "/api/v1/replays/1",
        "/api/v1/replays/nonsense",
    ] {
        gateway.ask(path).await.assert_problem(404, "not_found");
    }
    gateway.ask("/api/v1/nonsense").await.assert_problem(404, "no_such_path");
    let answer = Answer::to(gateway.client().request(Method::DELETE, "/api/v1/events")).await;
    answer.assert_problem(405, "method_not_allowed");
    assert!(answer.header("allow").contains("GET"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_stored_body_that_is_gone_is_said_to_be_gone() {
    let gateway = start(Config::new()).await;
    let event = gateway.accept(vec![b'x'; 1024 * 1024]).await;
    std::fs::remove_dir_all(gateway.folder().join("data/postroom.db.blobs")).unwrap();
    let answer = gateway.ask(&format!("/api/v1/events/{event}/body")).await;
    answer.assert_problem(500, "body_lost");
}

#[tokio::test]
async fn each_act_of_a_person_is_logged_once_and_what_changes_nothing_is_not() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/"), "").route("all", "", "target");
    let gateway = start(config).await;
    for act in ["pause", "pause", "resume"] {
        gateway.done(&format!("/api/v1/destinations/target/{act}"), Value::Null).await;
    }
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    let delivery = gateway.delivery_in_state(&event, "target", "delivered").await;
    gateway
        .done(&format!("/api/v1/deliveries/{}/retry", delivery["id"].as_str().unwrap()), Value::Null)
        .await;
    let replay = gateway.done("/api/v1/replays", json!({"filter": {"state": "dead"}})).await;
    gateway.logs().message("replay ended").await;
    let path = format!("/api/v1/replays/{}/cancel", replay["id"].as_str().unwrap());
    assert_eq!(gateway.done(&path, Value::Null).await["state"], "done");

    let lines = gateway.log_lines();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let acts: Vec<String> = lines
        .filter(|line| line["level"] == "INFO" && line["by"].is_string())
        .map(|line| format!("{} {} by {}", line["message"], line["act"], line["by"]))
        .collect();
    let by_api = |act: &str| format!("\"a person acted by the API\" \"{act}\" by \"test\"");
    assert_eq!(
        acts,
        [
            "\"destination paused by a person\" null by \"test\"".to_owned(),
            by_api("resume"),
            by_api("retry"),
            "\"replay runs\" null by \"test\"".to_owned(),
        ]
    );
}

#[tokio::test]
async fn destinations_say_how_they_do() {
    let target = Double::start(Receiver);
    let gateway =
        start(Config::new().backup("copies", "copies").forward("target", &target.url("/"), "")).await;
    let list = gateway.get("/api/v1/destinations").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| &item["name"]).collect::<Vec<_>>(), ["copies", "target"]);
    for (name, plugin) in [("copies", "backup"), ("target", "forward")] {
        let destination = postroom_tests::harness::eventually("the plugin to be ready", async || {
            let destination = gateway.get(&format!("/api/v1/destinations/{name}")).await;
            (destination["state"] == "ready").then_some(destination)
        })
        .await;
        assert_eq!(destination["plugin"], plugin);
        assert!(destination["plugin_version"].is_string(), "{destination}");
        assert_eq!((&destination["in_flight"], &destination["waiting"]), (&json!(0), &json!(0)));
    }
}

#[tokio::test]
async fn health_docs_and_document_are_for_everybody() {
    let gateway = start(Config::new()).await;
    let get = async |path: &str| Answer::to(gateway.client().request(Method::GET, path)).await;
    assert_eq!(get("/health/live").await.json()["status"], "live");
    assert_eq!(get("/health/ready").await.json()["status"], "ready");
    let document = get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.0.3");

    let docs = get("/docs").await;
    assert_eq!(docs.status, 200);
    assert!(docs.header("content-type").starts_with("text/html"), "{:?}", docs.headers);
    for marker in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
        assert!(!docs.text().contains(marker), "the docs page loads something from elsewhere: {marker}");
    }
}

#[tokio::test]
async fn metrics_are_in_the_text_format_that_prometheus_reads() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/"), "").route("all", "", "target");
    let gateway = start(config).await;
    gateway.accept(body::monitor_run("m", 0)).await;
    gateway.settled().await;
    let answer = gateway.ask("/metrics").await;
    assert!(
        answer.header("content-type").starts_with("application/openmetrics-text"),
        "{:?}",
        answer.headers
    );
    let text = answer.text();
    let mut families = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(comment) => {
                let word = comment.split(' ').next().unwrap();
                assert!(["HELP", "TYPE", "UNIT", "EOF"].contains(&word), "{line}");
                families.extend(comment.strip_prefix("TYPE ").and_then(|rest| rest.split(' ').next()));
            }
            None => check_sample(line),
        }
    }
    assert!(families.iter().all(|family| family.starts_with("postroom_")), "{families:?}");
    assert!(text.contains("postroom_events"), "no count of events in {families:?}");
}

/// A sample is `name{label="value",…} number`.
#[track_caller]
fn check_sample(line: &str) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    assert!(value.parse::<f64>().is_ok(), "{line}");
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    assert!(
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
        "{line}"
    );
    assert!(labels.ends_with('}'), "{line}");
}

#[tokio::test]
async fn a_delivery_tells_every_attempt() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(2, "10ms")).route("all", "", "target");
    let gateway = start(config).await;
    target.script([503]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    let delivery = gateway.delivery_in_state(&event, "target", "delivered").await;
    assert_eq!((&delivery["event_id"], &delivery["route"]), (&json!(event), &json!("all")));
    assert_eq!(delivery["lane"], "monitor:m");
    let attempts = delivery["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    let times: Vec<&Value> = attempts.iter().flat_map(|a| [&a["started_at"], &a["finished_at"]]).collect();
    assert!(times.is_sorted_by_key(|time| time.as_str().unwrap()), "{times:?}");
    assert_eq!(attempts[1]["record"]["status"], 200);
    let listed = &gateway.list("/api/v1/deliveries").await[0];
    assert!(listed.get("attempts").is_none(), "lists leave attempts out");
}

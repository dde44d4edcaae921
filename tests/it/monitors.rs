//! Monitors and incidents as their users meet them: runs go in by the hook, and what they mean comes out by routes, the
//! API, the command line and the metrics.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, body, eventually},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{program, start};

/// What is told of monitors goes to `target`; runs themselves go nowhere.
fn config(target: &Double) -> Config {
    let kinds = [
        "incident_opened",
        "incident_reminder",
        "incident_resolved",
        "monitor_silent",
        "monitor_resumed",
        "backup_overdue",
    ];
    let kinds = format!("kinds = {kinds:?}");
    Config::new().forward("target", &target.url("/"), "").route("incidents", &kinds, "target")
}

/// The monitor, once the run of this event is its last one.
async fn after(gateway: &TestGateway, uid: &str, event: &str) -> Value {
    eventually("the run to be counted", async || {
        let answer = gateway.ask(&format!("/api/v1/monitors/{uid}")).await;
        let monitor = (answer.status == 200).then(|| answer.json())?;
        (monitor["last_run"]["event_id"] == event).then_some(monitor)
    })
    .await
}

/// Sends a run, and gives the monitor as it is then.
async fn run(gateway: &TestGateway, uid: &str, failed_tests: u64) -> Value {
    let event = gateway.accept(body::monitor_run(uid, failed_tests)).await;
    after(gateway, uid, &event).await
}

/// The kinds of what was told, in order of arrival.
fn told(target: &Double) -> Vec<String> {
    let kind = |body: &[u8]| {
        let body: Value = serde_json::from_slice(body).unwrap();
        body["kind"].as_str().unwrap().to_owned()
    };
    target.requests().iter().map(|request| kind(&request.body)).collect()
}

async fn do_to(gateway: &TestGateway, method: Method, path: &str, body: Value) -> Answer {
    let request = gateway.client().request(method, path).bearer_auth(gateway.config().api_key());
    if body.is_null() {
        return Answer::to(request).await;
    }
    Answer::to(request.header("content-type", "application/json").body(body.to_string())).await
}

#[tokio::test]
async fn a_run_that_fails_opens_an_incident_and_one_that_passes_resolves_it() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target)).await;
    let failed = run(&gateway, "m-1", 2).await;
    assert_eq!(
        (&failed["last_verdict"], &failed["silent"], &failed["phase"], &failed["name"]),
        (&json!("failed"), &json!(false), &json!("open"), &json!("Monitor m-1"))
    );
    let incident = failed["incident"]["id"].as_str().unwrap();
    assert_eq!(failed["incident"]["severity"], "error");
    let open = gateway.list("/api/v1/incidents?state=open").await;
    assert_eq!((open.len(), &open[0]["id"], &open[0]["monitor_uid"]), (1, &json!(incident), &json!("m-1")));

    let passed = run(&gateway, "m-1", 0).await;
    assert_eq!((&passed["last_verdict"], passed.get("incident")), (&json!("passed"), None));
    assert_eq!(passed["counts"], json!({"passed": 1, "failed": 1, "unknown": 0}));
    assert!(gateway.list("/api/v1/incidents?state=open").await.is_empty());
    let resolved = gateway.get(&format!("/api/v1/incidents/{incident}")).await;
    assert_eq!((&resolved["state"], &resolved["announced"]), (&json!("resolved"), &json!(true)));
    assert_eq!((&resolved["runs"], &resolved["failed_runs"]), (&json!(2), &json!(1)));
    assert_eq!(resolved["resolved_by"]["event_id"], passed["last_run"]["event_id"]);
    let timeline = resolved["timeline"].as_array().unwrap();
    assert_eq!(timeline.len(), 2, "{resolved}");
    for entry in timeline {
        gateway.get(&format!("/api/v1/events/{}", entry["event_id"].as_str().unwrap())).await;
    }

    let requests = target.at_least(2).await;
    assert_eq!(told(&target), ["incident_opened", "incident_resolved"]);
    let opened: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(
        (&opened["incident"]["id"], &opened["monitor"]["uid"], &opened["run"]["failed_tests"]),
        (&json!(incident), &json!("m-1"), &json!(2))
    );
    assert_eq!(opened["caused_by"], failed["last_run"]["event_id"]);
    // What the gateway makes is an event like any other, and no run of a monitor.
    let made = gateway.list("/api/v1/events?kind=incident_opened").await;
    assert_eq!(
        (made.len(), &made[0]["source"], &made[0]["subject"]),
        (1, &json!("postroom:tracker"), &json!("m-1"))
    );
}

#[tokio::test]
async fn what_is_known_of_a_monitor_survives_kill_9() {
    let target = Double::start(Receiver);
    let mut gateway = start(config(&target)).await;
    for monitor in ["m-1", "m-2"] {
        run(&gateway, monitor, 0).await;
        run(&gateway, monitor, 1).await;
    }
    // What arrived and is not known to have arrived goes once more after a crash.
    gateway.settled().await;
    let before = gateway.get("/api/v1/monitors").await;
    let incidents = gateway.get("/api/v1/incidents").await;
    gateway.kill().await;
    gateway.restart().await;
    assert_eq!(gateway.get("/api/v1/monitors").await, before);
    assert_eq!(gateway.get("/api/v1/incidents").await, incidents);

    // It goes on where it was: the open incidents resolve, and nothing is told twice.
    run(&gateway, "m-1", 0).await;
    run(&gateway, "m-2", 0).await;
    // What a run comes to is kept with it: all that is ever told is waiting by now, or done.
    gateway.settled().await;
    let mut told = told(&target);
    told.sort();
    assert_eq!(told, ["incident_opened", "incident_opened", "incident_resolved", "incident_resolved"]);
}

#[tokio::test]
async fn a_monitor_that_stays_away_is_told_and_that_it_is_back() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target).section("tracker", "silence = \"1s\"")).await;
    let last = run(&gateway, "m-1", 0).await;
    target.at_least(1).await;
    assert_eq!(gateway.get("/api/v1/monitors/m-1").await["silent"], true);
    let back = gateway.accept(body::monitor_run("m-1", 0)).await;
    let requests = target.at_least(2).await;
    // It stays away again then.
    assert_eq!(told(&target)[..2], ["monitor_silent", "monitor_resumed"]);
    let bodies: Vec<Value> =
        requests[..2].iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    for body in &bodies {
        assert_eq!(
            (&body["monitor"]["uid"], &body["silence"]["since"]),
            (&json!("m-1"), &last["last_run"]["at"])
        );
    }
    assert_eq!(bodies[0]["silence"]["expected_every_s"], 1);
    assert_eq!(bodies[1]["caused_by"], back);
    let resumed = gateway.list("/api/v1/events?kind=monitor_resumed").await;
    assert_eq!((&resumed[0]["subject"], &resumed[0]["verdict"]), (&json!("m-1"), &json!("passed")));
}

#[tokio::test]
async fn a_collection_without_a_backup_is_told_once() {
    let target = Double::start(Receiver);
    let overdue = "collection = \"Shop*\"\noverdue_after = \"1s\"";
    let gateway = start(config(&target).section("[tracker.backup]", overdue)).await;
    gateway.accept(body::collection_backup("c-other", "Other")).await;
    let backup = gateway.accept(body::collection_backup("c-shop", "Shop 1")).await;
    let told = target.at_least(1).await;
    let told: Value = serde_json::from_slice(&told[0].body).unwrap();
    assert_eq!(told["kind"], "backup_overdue");
    let collection = &told["collection"];
    assert_eq!(
        (&collection["uid"], &collection["name"], &collection["last_backup"]["event_id"]),
        (&json!("c-shop"), &json!("Shop 1"), &json!(backup))
    );
    let events = gateway.list("/api/v1/events?kind=backup_overdue").await;
    assert_eq!((events.len(), &events[0]["subject"]), (1, &json!("c-shop")));
}

#[tokio::test]
async fn of_a_muted_monitor_nothing_is_told_until_the_mute_ends() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target)).await;
    run(&gateway, "m-1", 0).await;
    let path = "/api/v1/monitors/m-1/mute";
    let muted = do_to(&gateway, Method::POST, path, json!({"for_s": 3600, "reason": "deploy"})).await.json();
    assert_eq!((&muted["mute"]["by"], &muted["mute"]["reason"]), (&json!("test"), &json!("deploy")));
    assert_eq!(gateway.list("/api/v1/monitors?muted=true").await.len(), 1);
    assert!(gateway.list("/api/v1/monitors?muted=false").await.is_empty());

    // Opened and resolved while muted: never told.
    run(&gateway, "m-1", 1).await;
    run(&gateway, "m-1", 0).await;
    // Opened while muted and still open at its end: told then.
    let open = run(&gateway, "m-1", 1).await;
    let incident = format!("/api/v1/incidents/{}", open["incident"]["id"].as_str().unwrap());
    assert_eq!(gateway.get(&incident).await["announced"], false);
    assert!(target.requests().is_empty());
    let unmuted = do_to(&gateway, Method::DELETE, path, Value::Null).await.json();
    assert_eq!(unmuted.get("mute"), None);
    target.at_least(1).await;
    assert_eq!(told(&target), ["incident_opened"]);
    eventually("the incident to be told", async || {
        (gateway.get(&incident).await["announced"] == true).then_some(())
    })
    .await;
    assert_eq!(gateway.list("/api/v1/incidents?state=resolved").await[0]["announced"], false);

    let past = do_to(&gateway, Method::POST, path, json!({"until": "2020-01-01T00:00:00Z"})).await;
    past.assert_problem(400, "invalid_body");
    do_to(&gateway, Method::POST, "/api/v1/monitors/nobody/mute", json!({"for_s": 1}))
        .await
        .assert_problem(404, "not_found");
    do_to(&gateway, Method::DELETE, "/api/v1/monitors/nobody/mute", Value::Null)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn monitors_are_listed_and_filtered() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target)).await;
    run(&gateway, "b", 0).await;
    run(&gateway, "a", 1).await;
    let unknown = json!({"monitor_uid": "c", "monitor_name": "Monitor c", "metrics": {"requestCount": 1}});
    let event = gateway.accept(unknown.to_string()).await;
    after(&gateway, "c", &event).await;
    let check = async |query: &str, expected: &[&str]| {
        let found = gateway.list(&format!("/api/v1/monitors?{query}")).await;
        let found: Vec<&str> = found.iter().map(|monitor| monitor["uid"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    };
    check("", &["a", "b", "c"]).await;
    check("verdict=failed", &["a"]).await;
    check("verdict=unknown", &["c"]).await;
    check("incident=open", &["a"]).await;
    check("incident=none", &["b", "c"]).await;
    check("silent=true", &[]).await;
    check("silent=false&muted=false", &["a", "b", "c"]).await;
    check("text=ITOR%20B", &["b"]).await;
    check("source=postman", &["a", "b", "c"]).await;
    check("source=nobody", &[]).await;
    check("label=team", &[]).await;
    let page = gateway.get("/api/v1/monitors?limit=2").await;
    let next = page["next_cursor"].as_str().unwrap();
    let rest = gateway.get(&format!("/api/v1/monitors?limit=2&cursor={next}")).await;
    assert_eq!((&rest["items"][0]["uid"], rest.get("next_cursor")), (&json!("c"), None));
    for path in [
        "/api/v1/monitors/nobody",
        "/api/v1/monitors/nobody/runs",
        "/api/v1/monitors/nobody/runs?format=csv",
        "/api/v1/monitors/nobody/runs?resolution=day",
        "/api/v1/incidents/nonsense",
        "/api/v1/incidents/018f2f3a-0000-7000-8000-000000000000",
    ] {
        gateway.ask(path).await.assert_problem(404, "not_found");
    }
    gateway.ask("/api/v1/monitors/a/runs?cursor=x").await.assert_problem(400, "invalid_parameter");
    let zone = gateway.ask("/api/v1/monitors/a/runs?resolution=day&time_zone=Mars/Base").await;
    zone.assert_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn runs_come_in_pages_as_sums_and_as_a_file() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target)).await;
    // Names are written by strangers.
    let run = |failed| body::monitor_run("=1+1", failed).replace("Monitor =1+1", "=cmd|' /C calc'!A0");
    let event = gateway.accept(run(0)).await;
    let uid = "%3D1%2B1";
    after(&gateway, uid, &event).await;
    for failed in [1, 0, 0] {
        let event = gateway.accept(run(failed)).await;
        after(&gateway, uid, &event).await;
    }
    let runs = format!("/api/v1/monitors/{uid}/runs");
    let page = gateway.get(&format!("{runs}?limit=3")).await;
    let verdicts = |page: &Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(verdicts(&page), ["passed", "passed", "failed"]);
    assert_eq!(
        (&page["items"][0]["latency_mean_ms"], &page["items"][0]["requests"]),
        (&json!(842.0), &json!(1))
    );
    let next = page["next_cursor"].as_str().unwrap();
    let rest = gateway.get(&format!("{runs}?limit=3&cursor={next}")).await;
    assert_eq!((verdicts(&rest), rest.get("next_cursor")), (vec!["passed".to_owned()], None));

    let sums = gateway.get(&format!("{runs}?resolution=month&time_zone=Europe/Berlin")).await;
    let all: u64 =
        sums["buckets"].as_array().unwrap().iter().map(|bucket| bucket["runs"].as_u64().unwrap()).sum();
    assert_eq!((all, &sums["resolution"]), (4, &json!("month")));
    let later = gateway.get(&format!("{runs}?resolution=day&since=2999-01-01T00:00:00Z")).await;
    assert_eq!(later["buckets"], json!([]));

    let file = gateway.ask(&format!("{runs}?format=csv")).await;
    assert!(file.header("content-type").starts_with("text/csv"), "{:?}", file.headers);
    assert!(file.header("content-disposition").contains("attachment"), "{:?}", file.headers);
    let text = file.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 6, "a header, four runs and nothing behind the last\n{text}");
    assert!(lines[0].starts_with("at,verdict,requests,latency_mean_ms,"), "{text}");
    assert!(lines[1].contains(&format!(",{event},'=1+1,'")), "oldest first, and no formula\n{text}");
    assert_eq!(lines[2].split(',').nth(1), Some("failed"));
}

#[tokio::test]
async fn a_rule_is_in_force_as_soon_as_it_is_reloaded() {
    let target = Double::start(Receiver);
    let mut gateway = start(config(&target)).await;
    let wait_for_two = "monitor = \"Monitor m-*\"\nopen_after = 2\nslo = 99.5";
    let with_rule = gateway.config().clone().section("[tracker.rule]", wait_for_two);
    gateway.reconfigure(with_rule);
    let reload = gateway.done("/api/v1/config/reload", Value::Null).await;
    assert!(reload["needs_restart"].as_array().unwrap().is_empty(), "{reload}");
    assert!(reload["applied"].to_string().contains("tracker.rule[0].open_after"), "{reload}");

    let failed = run(&gateway, "m-1", 1).await;
    assert_eq!((failed.get("incident"), &failed["phase"]), (None, &json!("failing")));
    assert_eq!((&failed["slo"]["target"], &failed["slo"]["failed"]), (&json!(0.995), &json!(1)));
    let failed = run(&gateway, "m-1", 1).await;
    assert_eq!((&failed["phase"], &failed["incident"]["failed_runs"]), (&json!("open"), &json!(2)));
    // Others are judged as before.
    let other = run(&gateway, "other", 1).await;
    assert_eq!((&other["phase"], other.get("slo")), (&json!("open"), None));
}

#[tokio::test]
async fn metrics_tell_how_each_monitor_stands_within_a_bound() {
    let target = Double::start(Receiver);
    let limit = "metrics_monitors_max = 1";
    let gateway = start(config(&target).section("tracker", limit)).await;
    run(&gateway, "a", 1).await;
    run(&gateway, "b", 0).await;
    let metrics = gateway.ask("/metrics").await.text();
    for line in [
        "postroom_monitors 2",
        "postroom_monitors_left_out 1",
        "postroom_incidents_open 1",
        "postroom_monitor_last_verdict{uid=\"a\",name=\"Monitor a\"} 0",
        "postroom_monitor_runs_total{uid=\"a\",name=\"Monitor a\",verdict=\"failed\"} 1",
        "postroom_monitor_last_run_request_seconds{uid=\"a\",name=\"Monitor a\"} 0.842",
    ] {
        assert!(metrics.lines().any(|found| found == line), "no {line} in\n{metrics}");
    }
    assert!(!metrics.contains("uid=\"b\""), "{metrics}");
    gateway.ask("/metrics").await;
    let said = "more monitors than [tracker] metrics_monitors_max: the rest has no metrics of its own";
    gateway.logs().message(said).await;
    assert_eq!(gateway.log_lines().iter().filter(|line| line.contains(said)).count(), 1);
}

#[tokio::test]
async fn the_commands_show_and_steer_a_running_gateway() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target)).await;
    run(&gateway, "m-1", 1).await;
    run(&gateway, "m-2", 0).await;
    std::fs::write(gateway.folder().join("key"), gateway.config().api_key()).unwrap();
    let url = format!("http://{}", gateway.address());
    let postroom = async |args: &[&str]| {
        let flags = ["--url", &url, "--key-file", "key"];
        program().run(gateway.folder(), args.iter().copied().chain(flags)).await
    };
    let list = postroom(&["monitors", "list"]).await;
    assert_eq!(list.code, Some(0), "{list:?}");
    assert!(list.stdout.contains("incident (error)") && list.stdout.contains("Monitor m-2"), "{list:?}");
    let show = postroom(&["monitors", "show", "monitor m-1"]).await;
    assert!(show.stdout.is_ascii(), "what is no terminal gets plain characters: {show:?}");
    assert!(show.stdout.contains("1 of 1 runs failed"), "{show:?}");
    let csv = postroom(&["monitors", "runs", "m-1", "--csv"]).await;
    assert_eq!(csv.stdout.matches("\r\n").count(), 2, "{csv:?}");
    let sums = postroom(&["monitors", "runs", "m-1", "--resolution", "day"]).await;
    assert!(sums.stdout.starts_with("FROM"), "{sums:?}");
    let mute = postroom(&["monitors", "mute", "m-2", "--for", "1h", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&mute.stdout).unwrap()["mute"]["by"], "test");
    assert_eq!(postroom(&["monitors", "unmute", "m-2"]).await.code, Some(0));
    let unclear = postroom(&["monitors", "show", "monitor"]).await;
    assert_eq!(unclear.code, Some(5), "{unclear:?}");
    assert!(unclear.stderr.contains("m-1") && unclear.stderr.contains("m-2"), "{unclear:?}");
    assert_eq!(postroom(&["monitors", "show", "nobody"]).await.code, Some(5));

    let open = postroom(&["incidents", "list", "--state", "open", "--json"]).await;
    let open: Value = serde_json::from_str(&open.stdout).unwrap();
    let id = open["items"][0]["id"].as_str().unwrap();
    let incident = postroom(&["incidents", "show", id]).await;
    assert!(incident.stdout.contains("opened"), "{incident:?}");
    assert_eq!(postroom(&["incidents", "show", "nothing"]).await.code, Some(5));
}

#[tokio::test]
async fn a_monitor_that_is_forgotten_ends_what_is_open_of_it() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target)).await;
    run(&gateway, "m-1", 2).await;
    run(&gateway, "m-2", 0).await;
    let gone = do_to(&gateway, Method::DELETE, "/api/v1/monitors/m-1", Value::Null).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    let gone = gone.json();
    assert_eq!((&gone["uid"], &gone["runs"]), (&json!("m-1"), &json!(1)));

    let resolved = target.at_least(2).await[1].json();
    assert_eq!(told(&target), ["incident_opened", "incident_resolved"]);
    assert_eq!(resolved["incident"]["id"], gone["resolved_incident"]);
    assert!(resolved["forgotten_by"].is_string(), "{resolved}");
    let path = format!("/api/v1/incidents/{}", gone["resolved_incident"].as_str().unwrap());
    let incident = gateway.get(&path).await;
    let last = incident["timeline"].as_array().unwrap().last().unwrap().clone();
    let note = format!("forgotten by {}", resolved["forgotten_by"].as_str().unwrap());
    assert_eq!((&last["what"], &last["note"]), (&json!("resolved"), &json!(note)));

    assert_eq!(gateway.ask("/api/v1/monitors/m-1").await.status, 404);
    assert_eq!(gateway.ask("/api/v1/monitors/m-1/runs").await.status, 404);
    let left = gateway.list("/api/v1/monitors").await;
    assert_eq!((left.len(), &left[0]["uid"]), (1, &json!("m-2")));
    let again = do_to(&gateway, Method::DELETE, "/api/v1/monitors/m-1", Value::Null).await;
    assert_eq!(again.status, 404);
}

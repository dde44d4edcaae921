//! What people have plugins do beside delivering, by the API and by the command.

use std::{fs, process::Command, time::Duration};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, Finished, TestGateway, body, eventually},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{at_rest, program, start};

const OPERATOR: &str = "key-of-an-operator-who-may-not-act";
const ACTIONS: &str = "/api/v1/destinations/actor/actions";

/// A gateway whose one plugin is `faulty/actor.c`, and the folder that it lies in.
async fn start_actor() -> (TestGateway, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let tests = env!("CARGO_MANIFEST_DIR");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-I"])
        .arg(format!("{tests}/../sdk/c"))
        .arg("-o")
        .arg(folder.path().join("libpostroom_plugin_actor.so"))
        .arg(format!("{tests}/faulty/actor.c"))
        .output()
        .expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let settings = "config = { token = { file = \"secret\" } }";
    let config = Config::new()
        .key("olga", "operator", OPERATOR)
        .file("secret", "s3cret-of-the-actor")
        .destination("actor", "faulty-actor", settings)
        .route("all", "", "actor");
    let program = program().with_variables([("POSTROOM_PLUGINS_PATH", folder.path().into())]);
    let gateway = TestGateway::start(&program, config).await;
    ready(&gateway).await;
    (gateway, folder)
}

async fn ready(gateway: &TestGateway) -> Value {
    eventually("the plugin to be ready", async || {
        let destination = gateway.get("/api/v1/destinations/actor").await;
        (destination["state"] == "ready").then_some(destination)
    })
    .await
}

async fn act(gateway: &TestGateway, action: &str, input: Value) -> Answer {
    gateway.act(&format!("{ACTIONS}/{action}"), input).await
}

/// Runs the command against a gateway that listens on a port of its own.
async fn postroom(gateway: &TestGateway, args: &[&str]) -> Finished {
    let url = gateway.client().url("");
    let args = args.iter().copied().chain(["--url", &url]);
    program().run(gateway.folder(), args).await
}

#[tokio::test]
async fn actions_are_listed_without_asking_the_plugin_and_run_by_admins_alone() {
    let (gateway, _folder) = start_actor().await;
    let list = gateway.get(ACTIONS).await;
    assert_eq!((&list["items"][0]["name"], &list["items"][0]["danger"]), (&json!("echo"), &json!(true)));

    let answer = act(&gateway, "echo", json!({ "text": "said once" })).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "output": { "text": "said once" } })));
    let refused = gateway.act_with(OPERATOR, &format!("{ACTIONS}/echo"), json!({})).await;
    refused.assert_problem(403, "forbidden");
    act(&gateway, "other", Value::Null).await.assert_problem(404, "not_found");
    let nowhere = gateway.act("/api/v1/destinations/none/actions/echo", Value::Null).await;
    nowhere.assert_problem(404, "not_found");

    let bad = act(&gateway, "echo", json!({ "text": 7, "more": 1 })).await;
    bad.assert_problem(422, "invalid_input");
    assert_eq!(bad.json()["reasons"], json!(["/text: expected a text", "/more: there is no such member"]));
    let bad = act(&gateway, "refuse", json!({})).await;
    bad.assert_problem(422, "invalid_input");
    assert_eq!(bad.json()["reasons"], json!(["/name: is no name"]));
    act(&gateway, "conflict", json!({})).await.assert_problem(409, "conflict");
    act(&gateway, "missing", json!({})).await.assert_problem(404, "not_found");
    act(&gateway, "later", json!({})).await.assert_problem(503, "unavailable");
    act(&gateway, "fail", json!({})).await.assert_problem(502, "plugin_failed");

    // By whom, but not what.
    let lines = gateway.log_lines();
    let ran = lines.iter().filter(|line| line.contains("a person runs an action") && line.contains("echo"));
    assert!(ran.clone().count() >= 1 && ran.clone().all(|line| line.contains("test")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("said once")), "{lines:#?}");
}

#[tokio::test]
async fn an_action_that_takes_too_long_or_crashes_the_plugin_costs_no_delivery() {
    let (gateway, _folder) = start_actor().await;
    let late = act(&gateway, "hold?timeout=1", json!({})).await;
    late.assert_problem(504, "action_timeout");
    let event = gateway.accept(body::monitor_run("a", 0)).await;
    gateway.delivery_in_state(&event, "actor", "delivered").await;

    let before = ready(&gateway).await["process"]["pid"].clone();
    let crashed = act(&gateway, "abort", json!({})).await;
    crashed.assert_problem(502, "plugin_failed");
    assert!(crashed.json()["detail"].as_str().unwrap().contains("signal 6"), "{}", crashed.text());
    for n in 0..20 {
        gateway.accept(body::monitor_run(&format!("m{n}"), 0)).await;
    }
    gateway.settled().await;
    let deliveries = gateway.list("/api/v1/deliveries?destination=actor").await;
    assert_eq!(deliveries.len(), 21);
    assert!(deliveries.iter().all(|delivery| delivery["state"] == "delivered"), "{deliveries:?}");
    at_rest(&gateway, "actor").await;
    assert_ne!(ready(&gateway).await["process"]["pid"], before);
    let answer = act(&gateway, "echo", json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn whoever_hangs_up_cancels_the_action() {
    let (gateway, _folder) = start_actor().await;
    let hold = gateway.client().request(Method::POST, &format!("{ACTIONS}/hold"));
    let hold = hold.bearer_auth(gateway.config().api_key()).timeout(Duration::from_millis(500));
    assert!(hold.send().await.unwrap_err().is_timeout());
    eventually("the plugin to be told", async || {
        let count = act(&gateway, "count", Value::Null).await.json();
        (count["output"]["cancels"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_command_shows_steers_and_acts() {
    let (gateway, _folder) = start_actor().await;
    let check = async |args: &[&str], code: i32| {
        let finished = postroom(&gateway, args).await;
        assert_eq!(finished.code, Some(code), "{args:?}: {finished:#?}");
        assert!(!finished.stdout.contains(gateway.config().api_key()), "{finished:#?}");
        finished.stdout
    };
    let table = check(&["destinations"], 0).await;
    assert!(table.lines().nth(1).unwrap().starts_with("actor  faulty-actor 1.0.0  ready"), "{table}");
    let shown = check(&["destination", "actor", "show"], 0).await;
    let process = gateway.get("/api/v1/destinations/actor").await["process"]["pid"].clone();
    assert!(shown.contains(&format!("pid {process}, since ")), "{shown}");
    assert!(
        shown.lines().any(|line| line.starts_with("sandbox") && line.contains("no_new_privs")),
        "{shown}"
    );
    let json: Value =
        serde_json::from_str(&check(&["destination", "actor", "show", "--json"], 0).await).unwrap();
    assert_eq!(json["name"], "actor");

    let paused = check(&["destination", "actor", "pause"], 0).await;
    assert!(paused.contains("(held)"), "{paused}");
    assert!(!check(&["destination", "actor", "resume"], 0).await.contains("(held)"));

    let actions = check(&["destination", "actor", "actions"], 0).await;
    assert!(actions.contains("echo") && actions.contains("Gives back what it is given"), "{actions}");
    let echo = ["destination", "actor", "action", "echo", "--input", "{\"text\": \"hi\"}"];
    check(&echo, 2).await;
    let with_yes: Vec<&str> = echo.into_iter().chain(["--yes"]).collect();
    assert_eq!(check(&with_yes, 0).await, "text  hi\n");
    check(&["destination", "actor", "action", "tell"], 0).await;
    check(&["destination", "actor", "action", "fail"], 7).await;
    check(&["destination", "actor", "action", "other"], 5).await;
    check(&["destination", "none", "show"], 5).await;
    check(&["destination", "actor", "action", "echo", "--yes", "--input", "{\"text\": 7}"], 2).await;

    fs::write(gateway.folder().join("key"), OPERATOR).unwrap();
    check(&["destination", "actor", "action", "count", "--key-file", "key"], 6).await;
    let nobody = ["destinations", "--url", "http://127.0.0.1:1"];
    assert_eq!(program().run(gateway.folder(), nobody).await.code, Some(4));
}

#[tokio::test]
async fn plugins_are_listed_with_what_they_are_used_for() {
    let (gateway, folder) = start_actor().await;
    let library = folder.path().join("libpostroom_plugin_actor.so");
    fs::copy(&library, folder.path().join("libz_twice.so")).unwrap();
    let list = gateway.get("/api/v1/plugins").await;
    let plugin = &list["items"][0];
    assert_eq!((&plugin["id"], &plugin["used_by"]), (&json!("faulty-actor"), &json!(["actor"])));
    assert_eq!((&plugin["abi"], &plugin["file"]), (&json!("1.1"), &json!(library)));
    assert_eq!(plugin["actions"][0]["name"], "echo");
    let sum = Command::new("sha256sum").arg(&library).output().unwrap().stdout;
    assert_eq!(plugin["sha256"].as_str().unwrap().as_bytes(), &sum[..64]);
    assert!(list["rejected"][0]["reason"].as_str().unwrap().contains("has the id"), "{list}");
    assert_eq!(gateway.get("/api/v1/plugins/faulty-actor").await, *plugin);
    gateway.ask("/api/v1/plugins/none").await.assert_problem(404, "not_found");
    let nobody = gateway.client().request(Method::GET, "/api/v1/plugins");
    Answer::to(nobody).await.assert_problem(401, "unauthorized");
}

#[tokio::test]
async fn forward_sends_a_marked_test_request_with_its_own_settings() {
    let target = Double::start(Receiver);
    let gateway = start(Config::new().forward("archive", &target.url("/hook"), "")).await;
    let path = "/api/v1/destinations/archive/actions/test";
    let answer = eventually("the plugin to take actions", async || {
        let answer = gateway.act(path, Value::Null).await;
        (answer.status == 200).then(|| answer.json())
    })
    .await;
    assert_eq!(answer["output"]["accepted"], true, "{answer}");
    let request = target.at_least(1).await.swap_remove(0);
    assert_eq!((request.target.as_str(), request.header("postroom-test")), ("/hook", "true"));
}

//! The `postroom` command, as a person types it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, Finished, Serving, TestGateway, body, random_token},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{program, start};

#[track_caller]
fn check_code(finished: &Finished, code: i32) {
    assert_eq!(finished.code, Some(code), "{finished:#?}");
}

#[track_caller]
fn json_of(finished: &Finished) -> Value {
    check_code(finished, 0);
    serde_json::from_str(&finished.stdout).unwrap()
}

#[tokio::test]
async fn what_init_writes_passes_check_and_serves_the_url_it_showed() {
    let folder = TempDir::new().unwrap();
    let plugins = program().plugins();
    let plugins = plugins.to_str().unwrap();

    let init = program().run(folder.path(), ["init"]).await;
    check_code(&init, 0);
    let url = init.stdout.trim();
    let hook =
        url.strip_prefix("http://127.0.0.1:8080").expect("the URL for Postman is all that init prints");
    let token = hook.strip_prefix("/hooks/postman?token=").unwrap();
    let mode = fs::metadata(folder.path().join("postroom.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    check_code(&program().run(folder.path(), ["init"]).await, 1);

    let check = program().run(folder.path(), ["check", "--plugins-path", plugins]).await;
    check_code(&check, 0);
    assert!(check.stdout.contains("/hooks/postman"), "{check:?}");
    assert!(!check.stdout.contains(token) && !check.stderr.contains(token), "check shows the token");

    let flags = ["--listen", "127.0.0.1:0", "--plugins-path", plugins];
    let gateway = Serving::start(&program(), folder.path(), flags).await;
    let backup = body::collection_backup("c3ec8bf7", "Orders");
    let answer = Answer::to(gateway.client.request(Method::POST, hook).body(backup)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["deliveries"]), (202, &json!(1)), "{}", answer.text());
}

#[tokio::test]
async fn check_tells_all_faults_at_once_with_line_and_hint() {
    let folder = TempDir::new().unwrap();
    let text = r#"[server]
lisen = "127.0.0.1:8080"

[[source]]
name = "postman"
tokens = [{ env = "POSTROOM_TEST_NO_SUCH_TOKEN" }]
requests_per_second = "many"

[[destination]]
name = "backups"
plugin = "back-up"

[[route]]
name = "backups"
kinds = ["collection_backups"]
to = ["backup"]
"#;
    fs::write(folder.path().join("faulty.toml"), text).unwrap();
    let plugins = program().plugins();
    let args = ["check", "--config", "faulty.toml", "--plugins-path", plugins.to_str().unwrap()];
    let check = program().run(folder.path(), args).await;
    check_code(&check, 3);

    let lines: Vec<&str> = check.stdout.lines().collect();
    for (place, path, hint) in [
        ("faulty.toml:2: ", "lisen", "listen"),
        ("faulty.toml:6: ", "source[0].tokens", "POSTROOM_TEST_NO_SUCH_TOKEN"),
        ("faulty.toml:7: ", "source[0].requests_per_second", ""),
        ("faulty.toml:11: ", "destination[0].plugin", "backup"),
        ("faulty.toml:15: ", "route[0].kinds", "collection_backup"),
        ("faulty.toml:16: ", "route[0].to", "backups"),
    ] {
        let at = lines.iter().position(|line| line.starts_with(place));
        let at = at.unwrap_or_else(|| panic!("nothing about {place}: {check:#?}"));
        assert!(lines[at].contains(path), "{}", lines[at]);
        assert!(lines[at + 1].trim_start().starts_with("hint: "), "no hint: {check:#?}");
        assert!(lines[at..=at + 1].concat().contains(hint), "{}", lines[at + 1]);
    }
    assert_eq!(lines.len(), 12, "six faults with a hint each: {check:#?}");

    let check = program().run(folder.path(), args.into_iter().chain(["--json"])).await;
    check_code(&check, 3);
    let report: Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!((report["ok"].as_bool(), report["faults"].as_array().unwrap().len()), (Some(false), 6));
    assert_eq!(report["notes"], json!([]), "what has a fault is not missing");

    let serve = program().run(folder.path(), ["serve", "--config", "faulty.toml"]).await;
    check_code(&serve, 3);
    assert!(serve.stderr.contains("faulty.toml:2: "), "{serve:#?}");
}

#[tokio::test]
async fn check_lets_each_plugin_look_at_its_settings() {
    let folder = TempDir::new().unwrap();
    let config =
        Config::new().destination("copies", "backup", "config = { storage = \"tape\", root = \"x\" }");
    let text = config.text(&program().plugins());
    fs::write(folder.path().join("postroom.toml"), &text).unwrap();
    let check = program().run(folder.path(), ["check"]).await;
    check_code(&check, 3);
    assert!(check.stdout.contains("storage") && check.stdout.contains("fs"), "{check:#?}");
}

async fn send(gateway: &TestGateway, args: &[&str]) -> Finished {
    let url = gateway.hook_url();
    let args = ["send", "--to", &url].into_iter().chain(args.iter().copied());
    let finished = program().run(gateway.folder(), args).await;
    let token = gateway.config().token();
    assert!(!finished.stdout.contains(token) && !finished.stderr.contains(token), "{finished:#?}");
    finished
}

#[tokio::test]
async fn send_plays_every_webhook_of_postmans() {
    let gateway = start(Config::new()).await;
    let check = async |args: &[&str], kind: &str, verdict: Option<&str>| {
        check_code(&send(&gateway, args).await, 0);
        let event = gateway.list("/api/v1/events?source=postman").await.swap_remove(0);
        assert_eq!((event["kind"].as_str(), event["verdict"].as_str()), (Some(kind), verdict), "{args:?}");
        event
    };
    let documented = check(&["monitor_run", "--monitor", "Checkout"], "monitor_run", Some("passed")).await;
    assert_eq!(documented["monitor"]["name"], "Checkout");
    check(&["monitor_run", "--failing"], "monitor_run", Some("failed")).await;
    check(&["monitor_run", "--spelling", "count"], "monitor_run", Some("passed")).await;
    check(&["monitor_run", "--spelling", "count", "--failing"], "monitor_run", Some("failed")).await;
    check(&["activity"], "activity", None).await;
    check(&["collection_backup"], "collection_backup", None).await;

    let collection = "\u{feff}{ \"info\": {\"name\": \"Größe\"} }\r\n";
    fs::write(gateway.folder().join("orders.json"), collection).unwrap();
    let event = check(&["backup", "--collection", "orders.json"], "collection_backup", None).await;
    let sent = gateway.ask(&format!("/api/v1/events/{}/body", event["id"].as_str().unwrap())).await.text();
    assert!(sent.contains(collection), "{sent}");

    let before = gateway.list("/api/v1/events?source=postman").await.len();
    let many = send(&gateway, &["--count", "30", "--concurrency", "4", "--rate", "1000"]).await;
    check_code(&many, 0);
    assert_eq!(gateway.list("/api/v1/events?source=postman").await.len(), before + 30);
}

#[tokio::test]
async fn send_tells_by_its_exit_code_why_nothing_arrived() {
    let gateway = start(Config::with_source_settings("body_limit = \"1 B\"")).await;
    let send_to = async |url: &str| program().run(gateway.folder(), ["send", "activity", "--to", url]).await;
    let wrong = random_token();
    let refused = send_to(&gateway.client().url(&format!("/hooks/postman?token={wrong}"))).await;
    check_code(&refused, 6);
    assert!(!refused.stdout.contains(&wrong) && !refused.stderr.contains(&wrong), "{refused:?}");
    let down = Double::start_down(Receiver);
    let unreachable = send_to(&down.url(&format!("/hooks/postman?token={wrong}"))).await;
    check_code(&unreachable, 4);
    assert!(!unreachable.stdout.contains(&wrong) && !unreachable.stderr.contains(&wrong), "{unreachable:?}");
    check_code(&send(&gateway, &["activity"]).await, 1);
    check_code(&send_to("not a URL").await, 2);
    check_code(&send(&gateway, &["backup", "--collection", "missing.json"]).await, 5);
}

#[tokio::test]
async fn plugins_are_found_and_described_without_running_them() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("postroom.toml"), Config::new().text(&program().plugins())).unwrap();
    let run = async |args: &[&str]| program().run(folder.path(), args.iter().copied()).await;

    let list = json_of(&run(&["plugin", "list", "--json"]).await);
    let ids: Vec<&str> =
        list["plugins"].as_array().unwrap().iter().map(|plugin| plugin["id"].as_str().unwrap()).collect();
    for id in ["backup", "forward", "itoc360"] {
        assert!(ids.contains(&id), "{ids:?}");
        assert!(run(&["plugin", "list"]).await.stdout.contains(id));
        let inspected = json_of(&run(&["plugin", "inspect", id, "--json"]).await);
        assert_eq!(inspected["manifest"]["id"], id);
        assert!(inspected["manifest"]["config_schema"]["properties"].is_object(), "{inspected}");
        let by_file =
            json_of(&run(&["plugin", "inspect", inspected["path"].as_str().unwrap(), "--json"]).await);
        assert_eq!(by_file, inspected);
    }
    assert!(run(&["plugin", "inspect", "itoc360"]).await.stdout.contains("base_url"));
    check_code(&run(&["plugin", "inspect", "nobody"]).await, 5);
    check_code(&run(&["plugin", "inspect", "./postroom.toml"]).await, 7);
}

#[tokio::test]
async fn routes_explain_says_where_a_body_would_go_and_why() {
    let folder = TempDir::new().unwrap();
    let config = Config::new()
        .backup("copies", "copies")
        .forward("target", "http://127.0.0.1:1/", "")
        .route("backups", "kinds = [\"collection_backup\"]", "copies")
        .route(
            "failing",
            "kinds = [\"monitor_run\"]\nverdict = [\"failed\"]\nlabels = { team = \"pay*\" }",
            "target",
        );
    fs::write(folder.path().join("postroom.toml"), config.text(&program().plugins())).unwrap();
    fs::write(folder.path().join("run.json"), body::monitor_run("m", 1)).unwrap();
    let explain = async |args: &[&str]| {
        let command = ["routes", "explain", "--file", "run.json", "--source", "postman"];
        program().run(folder.path(), command.into_iter().chain(args.iter().copied())).await
    };
    let explained = json_of(&explain(&["--label", "team=payments", "--json"]).await);
    assert_eq!((&explained["kind"], &explained["verdict"]), (&json!("monitor_run"), &json!("failed")));
    let matched: Vec<_> =
        explained["routes"].as_array().unwrap().iter().map(|route| &route["matched"]).collect();
    assert_eq!(matched, [false, true]);
    assert_eq!(explained["targets"][0]["destination"], "target");
    let unlabelled = explain(&[]).await;
    check_code(&unlabelled, 0);
    assert!(unlabelled.stdout.contains("no destination"), "{unlabelled:#?}");
}

#[tokio::test]
async fn demo_shows_what_became_of_every_webhook() {
    let mut demo = program().command(["demo", "--once"]);
    demo.env("POSTROOM_PLUGINS_PATH", program().plugins());
    let demo = Finished::wait(demo).await;
    check_code(&demo, 0);
    for word in ["monitor_run", "collection_backup", "activity", "ALERT", "RESOLVE", "delivered"] {
        assert!(demo.stdout.contains(word), "nothing about {word}: {demo:#?}");
    }
}

#[tokio::test]
async fn demo_keeps_away_from_the_real_gateways_store_and_from_proxies() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("real.db");
    let mut demo = program().command(["demo", "--once"]);
    demo.env("POSTROOM_PLUGINS_PATH", program().plugins())
        .env("POSTROOM_STORE_URL", format!("sqlite:{}", store.display()))
        .env("HTTP_PROXY", "http://127.0.0.1:9");
    check_code(&Finished::wait(demo).await, 0);
    assert!(!store.exists(), "the demo used the real gateway's store");
}

#[tokio::test]
async fn openapi_prints_the_document_that_is_in_the_repository() {
    let folder = TempDir::new().unwrap();
    let printed = program().run(folder.path(), ["openapi"]).await;
    check_code(&printed, 0);
    let committed = include_str!("../../openapi/postroom.json");
    assert!(printed.stdout == committed, "`postroom openapi` and openapi/postroom.json differ");

    let gateway = start(Config::new()).await;
    let served = Answer::to(gateway.client().request(Method::GET, "/openapi.json")).await.json();
    assert_eq!(served, serde_json::from_str::<Value>(committed).unwrap());
}

#[tokio::test]
async fn wrong_arguments_and_missing_files_have_codes_of_their_own() {
    let folder = TempDir::new().unwrap();
    let run = async |args: &[&str]| program().run(folder.path(), args.iter().copied()).await;
    check_code(&run(&["nonsense"]).await, 2);
    check_code(&run(&["serve", "--nonsense"]).await, 2);
    check_code(&run(&["serve"]).await, 3);
    check_code(&run(&["check"]).await, 3);
    check_code(&run(&["--help"]).await, 0);
    check_code(&run(&["--version"]).await, 0);
}

#[tokio::test]
async fn a_second_gateway_on_the_same_port_or_data_is_refused() {
    let gateway = start(Config::new()).await;
    let address = gateway.address().to_string();
    let same_port = program().run(gateway.folder(), ["serve", "--listen", &address]).await;
    check_code(&same_port, 1);
    assert!(same_port.stderr.contains("cannot listen"), "{same_port:#?}");
    let same_data = program().run(gateway.folder(), ["serve"]).await;
    check_code(&same_data, 1);
    assert!(same_data.stderr.contains("postroom.db"), "{same_data:#?}");
    assert_eq!(gateway.post(body::activity("update")).await.status, 202, "the first is unharmed");
}

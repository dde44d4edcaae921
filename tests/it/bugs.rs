//! Mistakes that gateways of this kind are known to make. docs/guarantees.md lists where the others are tested.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, Serving, body, eventually},
};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{program, retry, start};

#[tokio::test]
async fn a_refused_event_does_not_use_up_its_idempotency_key() {
    let target = Double::start(Receiver);
    let gateway =
        start(Config::new().forward("target", &target.url("/"), "").route("all", "", "target")).await;
    let send = || gateway.hook().header("idempotency-key", "order-1").body(body::monitor_run("m", 1));

    gateway.fill_disk();
    Answer::to(send()).await.assert_problem(503, "unavailable");
    gateway.free_disk();
    let answer = Answer::to(send()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["repeated"]),
        (202, &json!(false)),
        "{}",
        answer.text()
    );
    let event = answer.json()["event_id"].as_str().unwrap().to_owned();
    gateway.delivery_in_state(&event, "target", "delivered").await;
    assert_eq!(gateway.list("/api/v1/events?source=postman").await.len(), 1);
}

#[tokio::test]
async fn each_of_two_tokens_lets_in() {
    let tokens = ["the-token-of-before", "the-token-that-follows"];
    let config = Config::new().source("rotating", &format!("tokens = {tokens:?}"));
    let gateway = start(config).await;
    for (token, status) in [(tokens[0], 202), (tokens[1], 202), ("neither-of-the-tokens", 401)] {
        let path = format!("/hooks/rotating?token={token}");
        let answer = Answer::to(gateway.client().request(Method::POST, &path).body("{}")).await;
        assert_eq!(answer.status, status, "{token}");
    }
}

#[tokio::test]
async fn a_restart_takes_every_changed_setting() {
    let before = Double::start_down(Receiver);
    let config =
        Config::new().forward("target", &before.url("/"), &retry(9, "100ms")).route("all", "", "target");
    let mut gateway = start(config.clone()).await;
    let waiting = gateway.accept(body::monitor_run("m", 0)).await;
    assert!(gateway.terminate().await.success());

    let after = Double::start(Receiver);
    let changed = Config::with_source_settings("body_limit = \"1 KiB\"\nlabels = { team = \"new\" }")
        .forward("target", &after.url("/"), &retry(0, ""))
        .route("failing only", "verdict = [\"failed\"]", "target");
    gateway.restart_with(changed).await;

    gateway.delivery_in_state(&waiting, "target", "delivered").await;
    assert_eq!(after.requests().len(), 1, "what waited goes to the new address");
    let old_hook = format!("/hooks/{}?token={}", Config::SOURCE, config.token());
    let with_old_token = Answer::to(gateway.client().request(Method::POST, &old_hook).body("{}")).await;
    assert_eq!(with_old_token.status, 401, "the old token");
    let events = gateway.client().request(Method::GET, "/api/v1/events").bearer_auth(config.api_key());
    assert_eq!(Answer::to(events).await.status, 401, "the old API key");
    assert_eq!(gateway.post("x".repeat(1025)).await.status, 413, "the new body limit");
    let passing = gateway.post(body::monitor_run("m", 0)).await.json();
    assert_eq!(passing["deliveries"], 0, "the new route");
    after.script([503]);
    let failing = gateway.accept(body::monitor_run("m", 1)).await;
    gateway.delivery_in_state(&failing, "target", "dead").await;
    let labels = gateway.get(&format!("/api/v1/events/{failing}")).await["labels"].clone();
    assert_eq!(labels, json!({"team": "new"}));
}

#[tokio::test]
async fn a_restart_for_one_setting_leaves_the_limits_of_others() {
    let limits = "body_limit = \"1 KiB\"\nrequests_per_second = 1";
    let target = Double::start(Receiver);
    let mut gateway = start(Config::with_source_settings(limits)).await;
    assert!(gateway.terminate().await.success());
    let changed = Config::with_source_settings(limits)
        .forward("target", &target.url("/"), &retry(1, "10ms"))
        .route("all", "", "target");
    gateway.restart_with(changed).await;

    assert_eq!(gateway.post("x".repeat(1025)).await.status, 413);
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(gateway.post("{}").await.status.as_u16());
    }
    assert!(answers.contains(&429), "{answers:?}");
    target.script([503, 503]);
    // The limit lets one in within a second.
    let event = eventually("an event to be let in", async || {
        let answer = gateway.post(body::monitor_run("m", 0)).await;
        (answer.status == 202).then(|| answer.json()["event_id"].as_str().unwrap().to_owned())
    })
    .await;
    let delivery = gateway.delivery_in_state(&event, "target", "dead").await;
    assert_eq!(delivery["attempts_made"], 2, "{delivery}");
}

/// Begins a process of its own in its first delivery, which keeps nothing but its standard error, and aborts.
const LEAVES_A_PROCESS: &str = r#"
#define _GNU_SOURCE
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"leaves\",\"name\":\"Leaves\",\"version\":\"0.1.0\",\"abi\":\"1.0\","
    "\"kinds\":[\"*\"],\"capabilities\":[\"log\"],\"concurrency\":1,\"network\":\"none\"}";
static const postroom_host *host;
static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)config; (void)err;
    host = h;
    *out = &host;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    (void)instance; (void)event;
    if (access(MARKER, F_OK) != 0) {
        pid_t child = fork();
        if (child == 0) {
            for (int fd = 0; fd < 256; fd++) if (fd != 2) close(fd);
            alarm(120);
            for (;;) pause();
        }
        FILE *marker = fopen(MARKER, "w");
        fprintf(marker, "%d", (int)child);
        fclose(marker);
        abort();
    }
    postroom_outcome done = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    host->complete(host->ctx, token, &done);
    return POSTROOM_OK;
}
static void destroy(void *instance) { (void)instance; }
static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .flags = POSTROOM_PF_SERIAL, .required_caps = POSTROOM_CAP_LOG,
    .create = create, .deliver = deliver, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e) {
    (void)m; (void)c; (void)e;
    return &table;
}
"#;

/// Compiles a plugin in C into `folder`; its macro `MARKER` is the path of `marker`.
fn compile(folder: &Path, source: &str, id: &str, marker: &Path) {
    let code = folder.join("plugin.c");
    fs::write(&code, source).unwrap();
    let headers = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/c");
    let compiled = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", "-I", headers])
        .arg(format!("-DMARKER={:?}", marker.display().to_string()))
        .arg("-o")
        .arg(folder.join(format!("libpostroom_plugin_{id}.so")))
        .arg(&code)
        .output()
        .expect("the tests need a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
}

#[tokio::test]
async fn a_process_that_keeps_the_standard_error_of_a_dead_plugin_blocks_nothing() {
    let folder = TempDir::new().unwrap();
    let marker = folder.path().join("marker");
    compile(folder.path(), LEAVES_A_PROCESS, "leaves", &marker);
    // In a sandbox it could not start one.
    let settings = format!("sandbox = \"off\"\n{}", retry(9, "20ms"));
    let config = Config::new().destination("leaves", "leaves", &settings).route("all", "", "leaves");
    fs::write(folder.path().join("postroom.toml"), config.text(folder.path())).unwrap();
    let mut gateway = Serving::start(&program(), folder.path(), ["--config", "postroom.toml"]).await;
    let hook = format!("/hooks/{}?token={}", Config::SOURCE, config.token());
    for monitor in ["a", "b", "a"] {
        let request = gateway.client.request(Method::POST, &hook).body(body::monitor_run(monitor, 0));
        assert_eq!(Answer::to(request).await.status, 202);
    }
    eventually("all three to be delivered, though the process still runs", async || {
        let list = "/api/v1/deliveries?state=delivered";
        let list = gateway.client.request(Method::GET, list).bearer_auth(config.api_key());
        (Answer::to(list).await.json()["items"].as_array()?.len() == 3).then_some(())
    })
    .await;
    let left: i32 = fs::read_to_string(&marker).unwrap().parse().unwrap();
    assert!(gateway.terminate().await.success());
    // It may be gone: the gateway is free to end what its plugins leave behind.
    kill_process(Pid::from_raw(left).unwrap(), Signal::KILL).ok();
}

/// Runs a gateway until it logs `message`, sends SIGTERM, and gives whether it ended well.
fn serve_until(mut command: Command, message: &str) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let mut told = false;
    for line in log.lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if line["message"] == message {
            told = true;
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        }
    }
    told && child.wait().unwrap().success()
}

#[tokio::test]
async fn a_signal_during_the_start_leaves_no_second_dispatcher() {
    let mut target = Double::start_down(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(99, "50ms")).route("all", "", "target");
    let mut gateway = start(config).await;
    for number in 1..=20 {
        gateway.accept(body::numbered_run("m", number)).await;
    }
    assert!(gateway.terminate().await.success());
    target.up();
    for message in ["listening", "ready", "listening"] {
        let mut command = program().command(["serve", "--log-format", "json", "--config", "postroom.toml"]);
        command.current_dir(gateway.folder());
        let ended_well = tokio::task::spawn_blocking(move || serve_until(command, message)).await.unwrap();
        assert!(ended_well, "{message}");
    }
    gateway.restart().await;
    gateway.settled().await;
    let numbers: Vec<u64> = target.requests().iter().map(|request| body::run_number(&request.body)).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>(), "each once and in order, over four starts");
}

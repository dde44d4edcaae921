//! Another configuration and other builds of plugins, while the gateway runs.

mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use postroom_tests::{
    doubles::{Double, Gate, Receiver, Reply},
    harness::{Config, TestGateway, body, eventually},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::{program, retry};

const RELOAD: &str = "/api/v1/config/reload";

/// A folder of plugins, before the one with all that were built for the tests.
struct Plugins(TempDir);

impl Plugins {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Puts a build of `faulty/builds.c` there, in the place of the one before.
    fn build(&self, version: &str, flags: &[&str]) {
        let tests = env!("CARGO_MANIFEST_DIR");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let file = self.0.path().join("libbuilds.so");
        let beside = file.with_extension("new");
        let done = Command::new(compiler)
            .args([
                "-std=c99",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-shared",
                "-fPIC",
                "-fvisibility=hidden",
                "-I",
            ])
            .arg(format!("{tests}/../sdk/c"))
            .arg(format!("-DVERSION=\"{version}\""))
            .args(flags)
            .arg("-o")
            .args([&beside, &PathBuf::from(format!("{tests}/faulty/builds.c"))])
            .output()
            .expect("the tests need a C compiler");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        fs::rename(beside, file).unwrap();
    }

    /// Puts a bundled plugin there, as a file that was not there before.
    fn install(&self, name: &str) {
        let file = format!("libpostroom_plugin_{name}.so");
        let beside = self.0.path().join("beside.new");
        fs::copy(program().plugins().join(&file), &beside).unwrap();
        fs::rename(beside, self.0.path().join(file)).unwrap();
    }

    async fn start(&self, config: Config) -> TestGateway {
        let path = std::env::join_paths([self.0.path(), &program().plugins()]).unwrap();
        TestGateway::start(&program().with_variables([("POSTROOM_PLUGINS_PATH", path)]), config).await
    }
}

async fn destination(gateway: &TestGateway, name: &str) -> Value {
    gateway.get(&format!("/api/v1/destinations/{name}")).await
}

/// Waits until the destination's plugin takes deliveries, and gives its process.
async fn pid(gateway: &TestGateway, name: &str) -> u64 {
    eventually("the plugin to be ready", async || destination(gateway, name).await["process"]["pid"].as_u64())
        .await
}

/// Has an event delivered to `builds`; gives what the plugin said.
async fn say(gateway: &TestGateway) -> String {
    let event = gateway.accept(body::monitor_run("a", 0)).await;
    let delivery = gateway.delivery_in_state(&event, "builds", "delivered").await;
    assert_eq!(delivery["attempts_made"], 1, "{delivery}");
    delivery["last_outcome"]["message"].as_str().unwrap().to_owned()
}

fn builds(config: Config) -> Config {
    config
        .file("token.txt", "a secret")
        .destination("builds", "faulty-builds", "config = { token = { file = \"token.txt\" } }")
        .route("all", "", "builds")
}

#[tokio::test]
async fn reloads_under_load_lose_nothing_deliver_nothing_twice_and_keep_every_lane_in_order() {
    const LANES: u64 = 8;
    const RUNS: u64 = 150;
    let plugins = Plugins::new();
    plugins.install("forward");
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(3, "10ms")).route("all", "", "target");
    let gateway = plugins.start(config).await;
    let mut pids = BTreeSet::from([pid(&gateway, "target").await]);

    let flow = async {
        for number in 0..RUNS {
            for lane in 0..LANES {
                gateway.accept(body::numbered_run(&format!("m{lane}"), number)).await;
            }
        }
    };
    let reloads = async {
        for reload in 1..=3 {
            // Events flow before, between and after.
            target.at_least((reload * 200) as usize).await;
            plugins.install("forward");
            let shown = gateway.done("/api/v1/destinations/target/reload", Value::Null).await;
            pids.insert(shown["process"]["pid"].as_u64().unwrap());
        }
    };
    tokio::join!(flow, reloads);
    assert_eq!(pids.len(), 4, "each reload has a process of its own");
    gateway.settled().await;

    let mut lanes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in target.requests() {
        let run: Value = serde_json::from_slice(&request.body).unwrap();
        let monitor = run["monitor_uid"].as_str().unwrap().to_owned();
        lanes.entry(monitor).or_default().push(body::run_number(&request.body));
    }
    assert_eq!(lanes.len() as u64, LANES);
    for (lane, runs) in lanes {
        assert!(runs.iter().copied().eq(0..RUNS), "{lane} came as {runs:?}");
    }
    let deliveries = gateway.list("/api/v1/deliveries").await;
    assert_eq!(deliveries.len() as u64, LANES * RUNS);
    for delivery in deliveries {
        assert_eq!(
            (&delivery["state"], &delivery["attempts_made"]),
            (&json!("delivered"), &json!(1)),
            "{delivery}"
        );
    }
    let shown = destination(&gateway, "target").await;
    assert_eq!(shown["process"]["restarts"], 0, "a reload is no restart");
}

#[tokio::test]
async fn a_build_that_does_not_run_leaves_the_one_before_serving() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let gateway = plugins.start(builds(Config::new())).await;
    let first = pid(&gateway, "builds").await;
    let path = "/api/v1/destinations/builds/reload";
    for (flags, expected) in [
        (&["-DCRASH"][..], "ended while starting: signal 6"),
        (&["-DREFUSE"], "this build wants another setting"),
        (&["-DID=\"other\""], "there is no plugin"),
    ] {
        plugins.build("2.0.0", flags);
        let answer = gateway.act(path, Value::Null).await;
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), &problem["code"]), (422, &json!("config_faulty")), "{problem}");
        assert!(problem["reasons"].to_string().contains(expected), "{problem}");
        assert!(say(&gateway).await.starts_with(&format!("1.0.0 {first} ")), "{flags:?}");
    }
    plugins.build("2.0.0", &[]);
    let shown = gateway.done(path, Value::Null).await;
    assert_eq!(shown["plugin_version"], "2.0.0");
    assert!(say(&gateway).await.starts_with("2.0.0 "));
    assert_eq!(gateway.act("/api/v1/destinations/none/reload", Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_hang_up_goes_over_to_another_configuration_and_says_what_needs_a_restart() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let base = Config::new();
    let mut gateway = plugins.start(builds(base.clone())).await;
    let first = pid(&gateway, "builds").await;
    let health = gateway.get("/health/ready").await;
    assert_eq!(health["generation"], 1);

    // A second source, a second key, another destination and its route, and other settings of the first.
    let target = Double::start(Receiver);
    let changed = base
        .server("drain = \"31s\"")
        .key("viewer", "viewer", "a key for somebody who looks")
        .source("other", "tokens = [\"another token for hooks\"]")
        .forward("target", &target.url("/"), "")
        .file("token.txt", "a secret")
        .destination(
            "builds",
            "faulty-builds",
            "config = { token = { file = \"token.txt\" }, more = 1 }\nconcurrency = 3",
        )
        .route("of the other", "sources = [\"other\"]", "target")
        .route("all", "sources = [\"postman\"]", "builds");
    gateway.reconfigure(changed);
    gateway.hang_up();
    let line = gateway.logs().message("configuration reloaded").await;
    assert_eq!((&line["generation"], &line["by"]), (&json!(2), &json!("SIGHUP")));
    assert_eq!((&line["reloaded"], &line["added"]), (&json!("builds"), &json!("target")));
    let line = gateway.logs().message("these settings have changed and need a restart of the gateway").await;
    assert_eq!(line["settings"], "server.drain");

    assert_ne!(pid(&gateway, "builds").await, first);
    say(&gateway).await;
    let hook = gateway.client().request(Method::POST, "/hooks/other?token=another%20token%20for%20hooks");
    let answer = hook.body(body::activity("update")).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    target.at_least(1).await;
    let looked = gateway.act_with("a key for somebody who looks", RELOAD, Value::Null).await;
    assert_eq!(looked.status, 403, "the new key is known, and may not do this");
    let after = gateway.get("/health/ready").await;
    assert_eq!(after["generation"], 2);
    assert_ne!(after["fingerprint"], health["fingerprint"]);

    // The same again changes nothing, and still names what needs a restart.
    let again = gateway.done(RELOAD, Value::Null).await;
    assert_eq!((&again["generation"], &again["fingerprint"]), (&json!(3), &after["fingerprint"]));
    assert_eq!(again["unchanged"], json!(["target", "builds"]));
    assert_eq!((&again["applied"], &again["needs_restart"]), (&json!([]), &json!(["server.drain"])));
}

#[tokio::test]
async fn a_configuration_with_faults_changes_nothing_and_all_faults_are_told() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let base = Config::new();
    let good = builds(base.clone());
    let mut gateway = plugins.start(good.clone()).await;
    let first = pid(&gateway, "builds").await;
    let broken =
        good.server("drain = \"soon\"").destination("lost", "no-such-plugin", "").route("b", "", "nowhere");
    gateway.reconfigure(broken);
    gateway.hang_up();
    gateway.logs().message("configuration not reloaded, nothing has changed").await;
    let expected = ["server.drain: not a duration", "there is no plugin \"no-such-plugin\"", "route[1].to"];
    let problem = gateway.act(RELOAD, Value::Null).await;
    assert_eq!(problem.status, 422);
    let log = gateway.log_lines().join("\n");
    for expected in expected {
        assert!(
            problem.json()["reasons"].to_string().replace("\\\"", "\"").contains(expected),
            "{}",
            problem.text()
        );
        assert!(log.replace("\\\"", "\"").contains(expected), "{expected} is not in the log\n{log}");
    }

    // One plugin that does not run with its new settings holds back all others.
    plugins.build("2.0.0", &["-DREFUSE"]);
    let target = Double::start(Receiver);
    gateway.reconfigure(builds(base).forward("new", &target.url("/"), ""));
    let problem = gateway.act(RELOAD, Value::Null).await;
    assert!(problem.text().contains("this build wants another setting"), "{}", problem.text());
    let left = gateway.get("/api/v1/destinations").await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
    assert_eq!(gateway.get("/health/ready").await["generation"], 1);
    assert!(say(&gateway).await.starts_with(&format!("1.0.0 {first} ")));
}

#[tokio::test]
async fn a_new_secret_reaches_the_plugin_without_a_new_process() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let gateway = plugins.start(builds(Config::new())).await;
    let first = pid(&gateway, "builds").await;
    assert_eq!(say(&gateway).await, format!("1.0.0 {first} secret of 8 bytes"));
    fs::write(gateway.folder().join("token.txt"), "another secret\n").unwrap();
    let reload = gateway.done(RELOAD, Value::Null).await;
    assert_eq!((&reload["rotated"], &reload["reloaded"]), (&json!(["builds"]), &json!([])));
    assert_eq!(reload["applied"], json!(["destination.builds.secrets"]));
    eventually("the plugin to have the new secret", async || {
        (say(&gateway).await == format!("1.0.0 {first} secret of 14 bytes")).then_some(())
    })
    .await;
    // A process that has to be started again has it too.
    kill(first);
    eventually("the plugin to be back", async || {
        let said = say_somehow(&gateway).await;
        (said.ends_with("secret of 14 bytes") && !said.contains(&first.to_string())).then_some(())
    })
    .await;
}

fn kill(pid: u64) {
    let done = Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

/// Like [`say`], of an event that may have lost an attempt to a process that ended.
async fn say_somehow(gateway: &TestGateway) -> String {
    let event = gateway.accept(body::monitor_run("a", 0)).await;
    let delivery = gateway.delivery_in_state(&event, "builds", "delivered").await;
    delivery["last_outcome"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn pauses_what_waits_and_what_was_counted_stand() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let base = Config::new();
    let mut gateway = plugins.start(builds(base.clone())).await;
    say(&gateway).await;
    gateway.done("/api/v1/destinations/builds/pause", Value::Null).await;
    let waiting = gateway.accept(body::monitor_run("a", 0)).await;
    let counted = |metrics: &str| {
        let is_counter = |line: &&str| {
            line.starts_with("postroom_events_total") || line.starts_with("postroom_deliveries_total")
        };
        metrics.lines().filter(is_counter).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = counted(&gateway.ask("/metrics").await.text());
    assert!(!before.is_empty());

    let settings =
        "config = { token = { file = \"token.txt\" }, more = 1 }\nconcurrency = 2\nbacklog = \"keep\"";
    gateway.reconfigure(base.destination("builds", "faulty-builds", settings).route("all", "", "builds"));
    let reload = gateway.done(RELOAD, Value::Null).await;
    assert_eq!(reload["reloaded"], json!(["builds"]));
    let shown = destination(&gateway, "builds").await;
    assert_eq!((&shown["gate"], &shown["paused_by"]), (&json!("held"), &json!("test")));
    assert_eq!((&shown["waiting"], &shown["process"]["restarts"]), (&json!(1), &json!(0)));
    assert_eq!(counted(&gateway.ask("/metrics").await.text()), before);
    gateway.done("/api/v1/destinations/builds/resume", Value::Null).await;
    gateway.delivery_in_state(&waiting, "builds", "delivered").await;
}

#[tokio::test]
async fn a_destination_that_is_gone_gets_what_waits_for_it_when_it_is_back() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let base = Config::new();
    let mut gateway = plugins.start(builds(base.clone())).await;
    let first = pid(&gateway, "builds").await;
    gateway.done("/api/v1/destinations/builds/pause", Value::Null).await;
    let waiting = gateway.accept(body::monitor_run("a", 0)).await;
    gateway.reconfigure(base.clone());
    let reload = gateway.done(RELOAD, Value::Null).await;
    assert_eq!(reload["removed"], json!(["builds"]));
    assert_eq!(gateway.ask("/api/v1/destinations/builds").await.status, 404);
    eventually("its process to be gone", async || {
        (!Path::new(&format!("/proc/{first}")).exists()).then_some(())
    })
    .await;
    let nowhere = gateway.accept(body::monitor_run("b", 0)).await;
    assert!(gateway.list(&format!("/api/v1/deliveries?event_id={nowhere}")).await.is_empty());

    gateway.reconfigure(builds(base));
    assert_eq!(gateway.done(RELOAD, Value::Null).await["added"], json!(["builds"]));
    assert_eq!(destination(&gateway, "builds").await["gate"], "held", "its pause stands");
    gateway.done("/api/v1/destinations/builds/resume", Value::Null).await;
    gateway.delivery_in_state(&waiting, "builds", "delivered").await;
    say(&gateway).await;
}

#[tokio::test]
async fn a_new_build_is_taken_by_itself_where_that_is_wanted() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let base = Config::new();
    let mut gateway = plugins.start(builds(base.clone())).await;
    let first = pid(&gateway, "builds").await;
    gateway.reconfigure(builds(base).plugins("watch = true"));
    let reload = gateway.done(RELOAD, Value::Null).await;
    assert_eq!((&reload["applied"], &reload["unchanged"]), (&json!(["plugins.watch"]), &json!(["builds"])));

    plugins.build("2.0.0", &["-DCRASH"]);
    gateway.logs().message("plugin not reloaded, nothing has changed").await;
    assert_eq!(pid(&gateway, "builds").await, first);
    plugins.build("3.0.0", &[]);
    let line = gateway.logs().message("plugin reloaded").await;
    assert_eq!((&line["by"], &line["version"]), (&json!("file watch"), &json!("3.0.0")));
    assert!(say(&gateway).await.starts_with("3.0.0 "));
    let entries = eventually("both to be in the audit log", async || {
        Some(gateway.list("/api/v1/audit?who=file%20watch").await).filter(|entries| entries.len() == 2)
    })
    .await;
    for (entry, outcome) in entries.iter().zip(["done", "refused"]) {
        assert_eq!((&entry["via"], &entry["outcome"]), (&json!("file_watch"), &json!(outcome)));
        assert_eq!(entry["object"], "destinations/builds");
    }
    assert_eq!(entries[0]["after"]["version"], "3.0.0");
}

#[tokio::test]
async fn what_a_destination_that_was_added_has_in_flight_ends_well_at_the_end_of_the_gateway() {
    let base = Config::new();
    let target = Double::start(Receiver);
    let plugins = Plugins::new();
    let mut gateway = plugins.start(base.clone()).await;
    gateway.reconfigure(base.forward("target", &target.url("/"), "").route("all", "", "target"));
    // By the API, so that a thread which serves requests asks for it: those end before the deliveries do.
    assert_eq!(gateway.done(RELOAD, Value::Null).await["added"], json!(["target"]));
    let gate = Gate::new();
    target.script([Reply::status(200).behind(&gate)]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    target.at_least(1).await;

    gateway.ask_to_end();
    let address = gateway.address();
    eventually("the gateway to stop listening", async || TcpStream::connect(address).await.err()).await;
    gate.open();
    assert!(gateway.ended().await.success());
    gateway.restart().await;
    let delivery = gateway.delivery_in_state(&event, "target", "delivered").await;
    assert_eq!((&delivery["attempts_made"], target.requests().len()), (&json!(1), 1), "{delivery}");
}

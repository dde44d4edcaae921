//! ITOC360 as the plugin talks to it through a whole gateway.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use postroom_tests::{
    doubles::{Double, Gate, Itoc360, Provider, Reply, Request, Rules, vendor},
    harness::{Answer, Config, TestGateway, body, eventually},
};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{program, retry, start};

const TOKEN: &str = "itoc360-source-token";

fn settings(double: &Double, more: &str) -> String {
    format!("base_url = \"{}\", token = \"{TOKEN}\"{more}", double.url(""))
}

fn config(double: &Double, more: &str) -> Config {
    Config::new()
        .destination("itoc360", "itoc360", &format!("config = {{ {} }}", settings(double, more)))
        .route("runs", "", "itoc360")
}

async fn act(gateway: &TestGateway, action: &str) -> Value {
    let path = format!("/api/v1/destinations/itoc360/actions/{action}");
    let answer = eventually("the plugin to take actions", async || {
        let answer = gateway.act(&path, Value::Null).await;
        (answer.status == 200).then(|| answer.json())
    })
    .await;
    answer["output"].clone()
}

#[tokio::test]
async fn the_plugin_sends_what_the_vendors_own_sdk_sends() {
    let alerts = Double::start(Itoc360::new(TOKEN, Provider::Alertmanager));
    let runs = Double::start(Itoc360::new(TOKEN, Provider::PostmanMonitors));
    let alertmanager = format!("mode = \"alertmanager\", {}", vendor::TEXTS);
    let source = "labels = { generator_url = \"https://go.postman.co/monitors/m\" }";
    let gateway = start(
        Config::with_source_settings(source)
            .destination(
                "alerts",
                "itoc360",
                &format!("config = {{ {}, {alertmanager} }}", settings(&alerts, "")),
            )
            .destination("runs", "itoc360", &format!("config = {{ {} }}", settings(&runs, "")))
            .route("alerts", "", "alerts")
            .route("runs", "", "runs"),
    )
    .await;
    for failed in [2, 0] {
        gateway.accept(body::monitor_run("m", failed)).await;
    }
    gateway.settled().await;
    let arrived: Vec<Value> = alerts.taken().iter().chain(&runs.taken()[..1]).map(vendor::shown).collect();
    let expected = vendor::golden();
    assert_eq!(arrived.len(), expected.len());
    for (arrived, expected) in arrived.iter().zip(&expected) {
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(arrived[field], *value, "{field}");
        }
        assert_eq!(arrived, expected);
    }
}

#[tokio::test]
async fn with_changes_itoc360_hears_of_turns_alone_also_over_a_restart() {
    let itoc360 = Itoc360::new(TOKEN, Provider::PostmanMonitors);
    let double = Double::start(itoc360.clone());
    let mut gateway = start(config(&double, ", send = \"changes\"")).await;
    for (rounds, open) in [([0, 1, 2, 1], true), ([3, 0, 0, 0], false)] {
        for failed in rounds {
            gateway.accept(body::monitor_run("m", failed)).await;
        }
        gateway.settled().await;
        assert_eq!(itoc360.is_open("m"), open);
        gateway.kill().await;
        gateway.restart().await;
    }
    let failed = double.taken().into_iter().map(|run| run.json()["metrics"]["failedTests"].clone());
    assert_eq!(failed.collect::<Vec<_>>(), [1, 0]);
}

#[tokio::test]
async fn its_actions_test_it_and_list_what_is_open() {
    let itoc360 = Itoc360::new(TOKEN, Provider::Alertmanager);
    let double = Double::start(itoc360.clone());
    let gateway = start(config(&double, ", mode = \"alertmanager\"")).await;
    for (monitor, failed) in [("a", 1), ("b", 1), ("a", 0)] {
        gateway.accept(body::monitor_run(monitor, failed)).await;
    }
    gateway.settled().await;
    let open = act(&gateway, "open-incidents").await;
    assert_eq!((&open["total"], &open["incidents"][0]["uid"]), (&json!(1), &json!("b")), "{open}");
    assert!(itoc360.is_open("b") && !itoc360.is_open("a"));

    let test = act(&gateway, "test").await;
    assert_eq!(test["ok"], true, "{test}");
    let incident = itoc360.incidents().pop().unwrap();
    assert_eq!(test["fingerprint"], *incident.fingerprint);
    assert!(!incident.is_open() && incident.title.contains("test"), "{incident:?}");

    itoc360.set_subscription(false);
    let test = act(&gateway, "test").await;
    assert_eq!((&test["ok"], &test["opened"]["status"]), (&json!(false), &json!(402)));
    assert!(test["opened"]["problem"].as_str().unwrap().contains("renew it"), "{test}");
}

#[tokio::test]
async fn a_template_with_an_unknown_placeholder_is_found_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        format!("config = {{ token = \"{TOKEN}\", mode = \"alertmanager\", summary = \"{{monitr}}\" }}");
    let config = Config::new().destination("itoc360", "itoc360", &settings).route("runs", "", "itoc360");
    std::fs::write(folder.path().join("postroom.toml"), config.text(&program().plugins())).unwrap();
    let check = program().run(folder.path(), ["check"]).await;
    assert_ne!(check.code, Some(0), "{check:#?}");
    assert!(format!("{check:?}").contains("there is no placeholder {monitr}"), "{check:#?}");
}

/// An ITOC360 that one can hardly reach. What it does to a request follows from the seed, the body and how often that came.
#[derive(Clone)]
struct Shaky {
    itoc360: Itoc360,
    seed: u64,
    shakes: Arc<AtomicBool>,
    came: Arc<Mutex<HashMap<Vec<u8>, u64>>>,
}

impl Shaky {
    fn new(seed: u64, provider: Provider) -> Self {
        let (shakes, came) = (Arc::new(AtomicBool::new(true)), Arc::default());
        Self { itoc360: Itoc360::new(TOKEN, provider), seed, shakes, came }
    }
}

impl Rules for Shaky {
    fn answer(&self, request: &Request) -> Reply {
        let mut came = self.came.lock().unwrap();
        let times = came.entry(request.body.to_vec()).or_default();
        *times += 1;
        let body = request.body.iter().fold(self.seed, |hash, byte| mixed(hash ^ u64::from(*byte)));
        let fate = mixed(body ^ *times) % 5;
        if !self.shakes.load(Ordering::SeqCst) {
            return self.itoc360.answer(request);
        }
        match fate {
            0 => Reply::status(503),
            // Taken, but nobody gets to know.
            1 => {
                self.itoc360.answer(request);
                Reply::status(504)
            }
            2 => self.itoc360.answer(request).behind(&Gate::new()),
            _ => self.itoc360.answer(request),
        }
    }
}

/// The next of a sequence without a pattern (SplitMix64).
fn mixed(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const RUNS: &str = "kinds = [\"monitor_run\"]";
const INCIDENTS: &str = "kinds = [\"incident_opened\", \"incident_reminder\", \"incident_resolved\", \"monitor_silent\",     \"monitor_resumed\"]";
const MONITORS: u64 = 4;
const ROUNDS: u64 = 10;
const OTHER: &str = "other";
const OTHER_TOKEN: &str = "token-of-the-other-source";

/// Both modes, what incidents are made of, and both ways to send.
const WAYS: [(&str, &str, &str, Provider); 6] = [
    ("postman", "runs", "every_run", Provider::PostmanMonitors),
    ("postman", "runs", "changes", Provider::PostmanMonitors),
    ("alertmanager", "runs", "every_run", Provider::Alertmanager),
    ("alertmanager", "runs", "changes", Provider::Alertmanager),
    ("alertmanager", "incidents", "every_run", Provider::Alertmanager),
    ("alertmanager", "incidents", "changes", Provider::Alertmanager),
];

fn silent_after_a_second(itoc360: &str) -> Config {
    Config::new()
        .destination("itoc360", "itoc360", itoc360)
        .route("incidents", INCIDENTS, "itoc360")
        .section("tracker", "silence = \"1s\"")
}

#[tokio::test]
async fn a_silence_that_other_settings_take_back_is_over_in_itoc360_too() {
    let itoc360 = Itoc360::new(TOKEN, Provider::Alertmanager);
    let double = Double::start(itoc360.clone());
    let settings = format!("config = {{ {} }}", settings(&double, ", mode = \"alertmanager\""));
    let mut gateway = start(silent_after_a_second(&settings)).await;
    gateway.accept(body::monitor_run("m", 0)).await;
    eventually("silence", async || itoc360.is_open("m:silent").then_some(())).await;
    let never = "monitor = \"Monitor m\"\nsilence = \"never\"";
    let config = gateway.config().clone().section("[tracker.rule]", never);
    gateway.reconfigure(config);
    gateway.done("/api/v1/config/reload", Value::Null).await;
    eventually("the end of the silence", async || (!itoc360.is_open("m:silent")).then_some(())).await;
}

#[tokio::test]
async fn after_an_outage_in_which_a_silent_monitor_passes_neither_incident_nor_silence_is_open() {
    let itoc360 = Itoc360::new(TOKEN, Provider::Alertmanager);
    let mut double = Double::start(itoc360.clone());
    let settings = settings(&double, ", mode = \"alertmanager\", from = \"incidents\"");
    let settings = format!("config = {{ {settings} }}\nbacklog = \"latest\"\n{}", retry(90, "40ms"));
    let gateway = start(silent_after_a_second(&settings)).await;
    gateway.accept(body::monitor_run("m", 1)).await;
    let are_open = || (itoc360.is_open("m"), itoc360.is_open("m:silent"));
    eventually("incident and silence", async || (are_open() == (true, true)).then_some(())).await;

    // What comes again must not be silent once more; the end of what was told is told all the same.
    gateway.done("/api/v1/monitors/m/mute", json!({ "for_s": 3600 })).await;
    double.down().await;
    // One run ends both: as small as somebody sends it for a monitor that is no more.
    let run = json!({ "monitor_uid": "m", "metrics": { "errors": 0, "failedTests": 0 } });
    let run = gateway.accept(run.to_string()).await;
    counted(&gateway, "m", &run).await;
    let count = async |state: &str| gateway.list(&format!("/api/v1/deliveries?state={state}")).await.len();
    let tried = async || (count("pending").await == 0 && count("retrying").await > 0).then_some(());
    eventually("all that is told to be tried", tried).await;
    double.up();
    gateway.done("/api/v1/destinations/itoc360/resume", Value::Null).await;
    gateway.settled().await;
    assert_eq!(are_open(), (false, false));
}

#[tokio::test]
async fn after_any_trouble_itoc360_knows_what_the_last_run_of_each_monitor_says() {
    for seed in [1, 2] {
        trouble(seed).await;
    }
}

/// Runs of some monitors come in turns from two sources while ITOC360 can hardly be reached, the plugin and the gateway are
/// killed, and old deliveries are replayed. Then the trouble ends.
async fn trouble(seed: u64) {
    let shaky = WAYS.map(|(.., provider)| Shaky::new(seed, provider));
    let doubles = shaky.clone().map(Double::start);
    let mut config = Config::new().source(OTHER, &format!("tokens = [\"{OTHER_TOKEN}\"]"));
    for ((mode, from, send, _), double) in WAYS.iter().zip(&doubles) {
        let more = format!(", mode = \"{mode}\", from = \"{from}\", send = \"{send}\", timeout = \"250ms\"");
        let settings = settings(double, &more);
        let settings = format!("config = {{ {settings} }}\nbacklog = \"latest\"\n{}", retry(90, "40ms"));
        let name = format!("{mode}-{from}-{send}");
        config = config.destination(&name, "itoc360", &settings);
        config = config.route(&name, if *from == "runs" { RUNS } else { INCIDENTS }, &name);
    }
    let names = WAYS.map(|(mode, from, send, _)| format!("{mode}-{from}-{send}"));
    let mut gateway = start(config).await;
    let (mut fails, mut last_runs, mut middle) = (HashMap::new(), HashMap::new(), Value::Null);
    let mut random = seed;
    let mut next = || {
        random = mixed(random);
        random
    };
    for round in 0..ROUNDS {
        for monitor in 0..MONITORS {
            let (monitor, failed) = (format!("m{monitor}"), next() % 2);
            let run = accept(&gateway, &monitor, failed, next() % 2 == 0).await;
            last_runs.insert(monitor.clone(), run);
            fails.insert(monitor, failed > 0);
        }
        let last = another_millisecond(&gateway).await;
        if round == ROUNDS / 2 {
            middle = gateway.get(&format!("/api/v1/events/{last}")).await["received_at"].clone();
        }
        match round {
            3 | 6 => kill_plugin(&gateway, &names[usize::try_from(next() % 6).unwrap()]).await,
            5 => {
                gateway.kill().await;
                gateway.restart().await;
            }
            4 | 7 => replay(&gateway, &names, json!({})).await,
            _ => {}
        }
    }
    shaky.iter().for_each(|shaky| shaky.shakes.store(false, Ordering::SeqCst));
    for (monitor, run) in &last_runs {
        counted(&gateway, monitor, run).await;
    }
    for again in [false, true] {
        if again {
            // Old runs alone, of which many say the contrary of the last.
            replay(&gateway, &names, json!({ "created_before": middle })).await;
        }
        for name in &names {
            // A breaker would wait for longer than a test likes.
            gateway.done(&format!("/api/v1/destinations/{name}/resume"), Value::Null).await;
        }
        gateway.settled().await;
        for (shaky, name) in shaky.iter().zip(&names) {
            for (monitor, failed) in &fails {
                let open = shaky.itoc360.is_open(monitor);
                assert_eq!(open, *failed, "{monitor} at {name}, seed {seed}, replayed at the end: {again}");
            }
        }
    }
}

/// Gives the event of a run that is accepted now.
async fn accept(gateway: &TestGateway, monitor: &str, failed: u64, by_other: bool) -> String {
    let run = body::monitor_run(monitor, failed);
    if !by_other {
        return gateway.accept(run).await;
    }
    let hook = gateway.client().request(Method::POST, &format!("/hooks/{OTHER}?token={OTHER_TOKEN}"));
    let answer = Answer::to(hook.header("content-type", "application/json").body(run)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["event_id"].as_str().unwrap().to_owned()
}

/// Waits until what the last run of a monitor comes to is kept.
async fn counted(gateway: &TestGateway, monitor: &str, run: &str) {
    eventually("the last run to be counted", async || {
        let answer = gateway.ask(&format!("/api/v1/monitors/{monitor}")).await;
        (answer.status == 200 && answer.json()["last_run"]["event_id"] == run).then_some(())
    })
    .await;
}

/// What is told apart by the time of its arrival must not arrive in the same millisecond.
async fn another_millisecond(gateway: &TestGateway) -> String {
    let first = gateway.accept(body::activity("update")).await;
    loop {
        let next = gateway.accept(body::activity("update")).await;
        // An id begins with the time.
        if next[..13] != first[..13] {
            return next;
        }
    }
}

async fn kill_plugin(gateway: &TestGateway, destination: &str) {
    let path = format!("/api/v1/destinations/{destination}");
    let pid = gateway.get(&path).await["process"]["pid"].as_i64();
    // Between two processes there is none to kill.
    let pid = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(pid) = pid {
        kill_process(pid, Signal::KILL).ok();
    }
}

/// Has all that came to an end, and is as `filter` says, go once more.
async fn replay(gateway: &TestGateway, destinations: &[String], filter: Value) {
    for destination in destinations {
        let mut filter = filter.clone();
        filter["destination"] = destination.as_str().into();
        let begun = gateway.done("/api/v1/replays", json!({ "filter": filter, "per_second": 1000 })).await;
        let Some(id) = begun["id"].as_str() else { continue };
        let path = format!("/api/v1/replays/{id}");
        let made = async || (gateway.get(&path).await["state"] == "done").then_some(());
        eventually("a replay to be made", made).await;
    }
}

//! What happens, as it happens: the stream of server-sent events, with the real program.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, TestGateway, body, eventually},
};
use reqwest::{Method, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use crate::support::{program, retry, start};

const STREAM: &str = "/api/v1/stream";
/// Of a stream that should have told something by now.
const PATIENCE: Duration = Duration::from_secs(60);

/// A reader as a browser is one.
struct Reader {
    answer: Response,
    text: String,
    /// What it would send as `Last-Event-ID`.
    last_id: Option<String>,
}

#[derive(Debug, PartialEq)]
struct Message {
    topic: String,
    data: Value,
}

impl Reader {
    async fn begin(gateway: &TestGateway, query: &str, after: Option<&str>) -> Self {
        let path = format!("{STREAM}?{query}");
        let request = gateway.client().request(Method::GET, &path).bearer_auth(gateway.config().api_key());
        let request =
            after.into_iter().fold(request, |request, after| request.header("last-event-id", after));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut reader = Self { answer, text: String::new(), last_id: after.map(str::to_owned) };
        // It is let in, and knows where it is.
        reader.frame().await;
        reader
    }

    /// The next lines up to an empty one; `None` at the end.
    async fn frame(&mut self) -> Option<Vec<(String, String)>> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let fields = frame.lines().filter_map(|line| line.split_once(": "));
                let fields: Vec<_> =
                    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                self.text = rest.to_owned();
                if let Some((_, id)) = fields.iter().find(|(name, _)| name == "id") {
                    self.last_id = Some(id.clone());
                }
                return Some(fields);
            }
            let piece =
                timeout(PATIENCE, self.answer.chunk()).await.expect("the stream is silent for too long");
            self.text.push_str(std::str::from_utf8(&piece.ok()??).unwrap());
        }
    }

    /// The next message; `None` at the end.
    async fn message(&mut self) -> Option<Message> {
        loop {
            let fields = self.frame().await?;
            let of =
                |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
            if let Some(topic) = of("event") {
                let data = serde_json::from_str(of("data").unwrap()).unwrap();
                return Some(Message { topic: topic.to_owned(), data });
            }
        }
    }

    async fn next(&mut self, topic: &str) -> Value {
        let message = self.message().await.expect("the stream goes on");
        assert_eq!(message.topic, topic, "{message:?}");
        message.data
    }

    /// Reads until something is as it should be.
    async fn until(&mut self, topic: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Message { topic: told, data } = self.message().await.expect("the stream goes on");
            if told == topic && is_it(&data) {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_reader_is_told_of_events_and_of_what_becomes_of_their_deliveries() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(2, "10ms")).route("all", "", "target");
    let gateway = start(config).await;
    let mut reader = Reader::begin(&gateway, "", None).await;
    target.script([503]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;

    let told = reader.next("events").await;
    assert_eq!(told, gateway.list("/api/v1/events").await[0], "as the list gives it");
    assert_eq!(told["id"], *event);
    let told = reader.until("deliveries", |told| told["state"] == "delivered").await;
    assert_eq!(told, gateway.list("/api/v1/deliveries").await[0], "as the list gives it");

    gateway.done("/api/v1/destinations/target/pause", Value::Null).await;
    let told = reader.until("destinations", |told| told["gate"] == "held").await;
    assert_eq!((&told["name"], &told["state"]), (&Value::from("target"), &Value::from("paused")));
}

#[tokio::test]
async fn a_reader_is_told_what_it_asked_for_and_nothing_else() {
    let gateway = start(Config::new()).await;
    let mut runs = Reader::begin(&gateway, "topic=events&kind=monitor_run", None).await;
    let mut of_m = Reader::begin(&gateway, "monitor=1e8eea47-0000-4000-8000-000000000001", None).await;
    gateway.accept("{}").await;
    let other = gateway.accept(body::monitor_run("1e8eea47-0000-4000-8000-000000000002", 0)).await;
    let wanted = gateway.accept(body::monitor_run("1e8eea47-0000-4000-8000-000000000001", 0)).await;
    assert_eq!(runs.next("events").await["id"], *other);
    assert_eq!(runs.next("events").await["id"], *wanted);
    assert_eq!(of_m.next("events").await["id"], *wanted);
}

#[tokio::test]
async fn an_incident_is_told_when_it_opens_and_when_it_is_over() {
    let config = Config::new().section("tracker", "open_after = 1\nresolve_after = 1");
    let gateway = start(config).await;
    let mut reader = Reader::begin(&gateway, "topic=incidents", None).await;
    gateway.accept(body::monitor_run("m", 1)).await;
    let opened = reader.next("incidents").await;
    assert_eq!((&opened["state"], opened.get("timeline")), (&Value::from("open"), None));
    gateway.accept(body::monitor_run("m", 0)).await;
    let resolved = reader.until("incidents", |told| told["state"] == "resolved").await;
    assert_eq!(resolved["id"], opened["id"]);
}

#[tokio::test]
async fn whoever_was_cut_off_goes_on_where_it_was_also_after_a_restart() {
    let mut gateway = start(Config::new()).await;
    let mut reader = Reader::begin(&gateway, "", None).await;
    let first = gateway.accept(body::monitor_run("m", 0)).await;
    assert_eq!(reader.next("events").await["id"], *first);
    let position = reader.last_id.clone().unwrap();
    drop(reader);

    let second = gateway.accept(body::monitor_run("m", 0)).await;
    let mut reader = Reader::begin(&gateway, "", Some(&position)).await;
    assert_eq!(reader.next("events").await["id"], *second, "nothing was lost");
    drop(reader);

    gateway.kill().await;
    gateway.restart().await;
    let third = gateway.accept(body::monitor_run("m", 0)).await;
    let mut reader = Reader::begin(&gateway, "", Some(&position)).await;
    let resync = reader.next("resync").await;
    assert_eq!(resync["topics"], serde_json::json!(["deliveries", "incidents", "destinations"]));
    for event in [second, third] {
        assert_eq!(reader.next("events").await["id"], *event, "events are on the disk");
    }
    let mut query = Reader::begin(&gateway, &format!("topic=events&after={position}"), None).await;
    assert_eq!(query.next("events").await["kind"], "monitor_run");
}

#[tokio::test]
async fn a_position_that_is_not_known_is_told_so() {
    let gateway = start(Config::new()).await;
    let mut reader = Reader::begin(&gateway, "topic=events", Some("yesterday")).await;
    assert_eq!(reader.next("resync").await["topics"], serde_json::json!(["events"]));
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    assert_eq!(reader.next("events").await["id"], *event);
}

#[tokio::test]
async fn a_stream_needs_a_key_and_ends_when_it_is_one_no_more() {
    let key = "0123456789abcdef0123456789abcdef";
    let mut gateway = start(Config::new().key("other", "viewer", key)).await;
    let config = gateway.config().clone();
    let stream = || gateway.client().request(Method::GET, STREAM);
    let unasked = stream().send().await.unwrap();
    assert_eq!(unasked.status(), 401);
    let mut theirs = stream().bearer_auth(key).send().await.unwrap();
    assert_eq!(theirs.status(), 200);
    let mut ours = Reader::begin(&gateway, "", None).await;

    gateway.reconfigure(config.revoked(key));
    gateway.done("/api/v1/config/reload", Value::Null).await;
    let end = timeout(PATIENCE, async { while let Ok(Some(_)) = theirs.chunk().await {} }).await;
    end.expect("the stream of the key that is gone ends");
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    assert_eq!(ours.until("events", |_| true).await["id"], *event, "the others go on");
}

#[tokio::test]
async fn a_stop_ends_the_streams_of_those_who_read_and_of_those_who_do_not() {
    // Long enough that a test which waited for it would fail.
    let mut gateway = start(Config::new().server("drain = \"10m\"")).await;
    let mut reader = Reader::begin(&gateway, "", None).await;
    let deaf = Deaf::begin(&gateway).await;
    deaf.stuff(&gateway).await;
    let status = timeout(PATIENCE, gateway.terminate()).await.expect("it does not wait for readers");
    assert!(status.success(), "{status}");
    while reader.message().await.is_some() {}
}

#[tokio::test]
async fn a_reader_who_does_not_read_takes_little_and_is_told_what_it_missed() {
    let gateway = start(Config::new()).await;
    let mut deaf = Deaf::begin(&gateway).await;
    deaf.stuff(&gateway).await;
    let before = gateway.memory_peak_bytes();
    // More than the gateway holds for anybody.
    deaf.stuff(&gateway).await;
    let grown = gateway.memory_peak_bytes() - before;
    assert!(grown < 24 << 20, "{grown} bytes");
    let text = deaf.read_until("event: resync").await;
    assert!(text.contains("event: events"), "it goes on with what comes now");
}

#[tokio::test]
async fn the_command_shows_what_happens_until_it_is_interrupted() {
    let gateway = start(Config::new()).await;
    let args = ["events", "tail", "--topic", "events", "--json", "--url", &gateway.client().url("")];
    let mut command = program().command(args);
    command.env("POSTROOM_API_KEY", gateway.config().api_key());
    let mut tail = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the command to follow", async || {
        let metrics = gateway.ask("/metrics").await.text();
        metrics.contains("operation=\"followChanges\"").then_some(())
    })
    .await;
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let line = spawn_blocking(move || lines.next().unwrap().unwrap()).await.unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&told["topic"], &told["data"]["id"]), (&Value::from("events"), &Value::from(event)));
    kill_process(Pid::from_child(&tail), Signal::INT).unwrap();
    let ended = spawn_blocking(move || tail.wait_with_output().unwrap()).await.unwrap();
    assert_eq!((ended.status.code(), &*String::from_utf8_lossy(&ended.stderr)), (Some(130), ""));
}

#[tokio::test]
async fn readers_have_a_bound_and_one_key_leaves_places_for_others() {
    let other = "key-of-somebody-else";
    let gateway = start(Config::new().key("else", "viewer", other)).await;
    let ask = async |key: &str| {
        let request = gateway.client().request(Method::GET, STREAM).bearer_auth(key);
        request.send().await.unwrap()
    };
    let own = gateway.config().api_key();
    let mut readers = Vec::new();
    let refused = loop {
        let answer = ask(own).await;
        if answer.status() != 200 {
            break answer;
        }
        readers.push(answer);
        assert!(readers.len() <= 1024, "there is no bound");
    };
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert_eq!(ask(other).await.status(), 200);
    drop(readers);
    eventually("a place to be free again", async || (ask(own).await.status() == 200).then_some(())).await;
}

/// A reader that opens a stream and reads nothing of it.
struct Deaf(TcpStream);

impl Deaf {
    async fn begin(gateway: &TestGateway) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // As little as the system allows: what it keeps there the gateway need not keep.
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(gateway.address()).await.unwrap();
        let key = gateway.config().api_key();
        let request = format!("GET {STREAM} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Has more happen than anybody keeps for a reader, and waits until all of it was told.
    async fn stuff(&self, gateway: &TestGateway) {
        let mut awake = Reader::begin(gateway, "topic=events", None).await;
        let labels: String = (0..16).map(|n| format!("&label.l{n}={}", "x".repeat(250))).collect();
        let path = format!("/hooks/{}?token={}{labels}", Config::SOURCE, gateway.config().token());
        let mut sending = JoinSet::new();
        for _ in 0..64 {
            let request = gateway.client().request(Method::POST, &path).body("{}");
            sending.spawn(async move {
                for _ in 0..32 {
                    assert_eq!(request.try_clone().unwrap().send().await.unwrap().status(), 202);
                }
            });
        }
        sending.join_all().await;
        let last = gateway.accept(body::monitor_run("the last one", 0)).await;
        awake.until("events", |told| told["id"] == *last).await;
    }

    async fn read_until(&mut self, wanted: &str) -> String {
        let mut text = String::new();
        while !text.contains(wanted) || !text.rsplit_once(wanted).unwrap().1.contains("\n\n") {
            let mut piece = vec![0; 64 * 1024];
            let read = timeout(PATIENCE, self.0.read(&mut piece)).await.expect("it is told in time").unwrap();
            assert!(read > 0, "the stream ended");
            text.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        text
    }
}

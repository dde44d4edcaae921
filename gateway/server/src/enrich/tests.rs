use std::{
    io::{self, Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use postroom_core::{
    event::Verdict,
    id::{EventId, SourceName},
    monitor::Numbers,
};

use super::*;

const KEY: &str = "PMAK-0000-a-key-that-is-nobodys";
const EXECUTIONS: &str = r#"{"executions": [{"id": "e1", "finishedAt": "2026-11-22T09:59:58Z"}]}"#;
const RUNS: &str = r#"{"runs": [{"id": "r1", "stats": {"assertions": {"failed": 1}}}]}"#;
const RESULTS: &str = r#"[{"assertion": "Is up", "error": "expected 200, got 503"}]"#;

/// What was logged, down to `debug`.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "", body)
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// An API that gives these answers, one after the other.
fn api(answers: Vec<Vec<u8>>) -> PostmanApi {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            // Who has read enough hangs up.
            stream.write_all(&answer).ok();
        }
    });
    // 2026-11-22T10:00:00Z.
    let clock = Clock::new(|| Timestamp::from_unix_ms(1_795_341_600_000));
    PostmanApi::new(&url, &Secret::new(KEY), clock).unwrap()
}

/// What failed, as the API says it, and what was logged about that.
async fn asked(answers: Vec<Vec<u8>>) -> (Option<Vec<Failure>>, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time();
    let guard = tracing::subscriber::set_default(subscriber.with_max_level(tracing::Level::DEBUG).finish());
    let identity = Identity {
        uid: "m-1".to_owned(),
        name: None,
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("postman"),
        labels: Default::default(),
    };
    let run = Run {
        event: EventId::from_bytes([1; 16]),
        at: Timestamp::from_unix_ms(1_795_341_600_000),
        verdict: Verdict::Failed,
        numbers: Numbers { failed_tests: Some(1), errors: Some(0), ..Numbers::default() },
    };
    let failures = api(answers).of(&identity, &run).await;
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!log.contains(KEY), "the key is in the log: {log}");
    (failures, log)
}

/// These answers name no failures, and the log has a line that says so.
#[track_caller]
fn check(what: &str, answers: Vec<Vec<u8>>, logged: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (failures, log) = runtime.block_on(asked(answers));
    assert_eq!(failures, None, "{what}");
    assert!(
        log.lines().any(|line| line.contains(" postroom::enrich: ") && line.contains(logged)),
        "{what}: {log}"
    );
}

#[tokio::test]
async fn what_failed_is_found_in_three_answers() {
    let (failures, _) = asked(vec![ok(EXECUTIONS), ok(RUNS), ok(RESULTS)]).await;
    let [failure] = &failures.unwrap()[..] else { panic!("one failure") };
    assert_eq!((failure.name.as_str(), failure.error.as_deref()), ("Is up", Some("expected 200, got 503")));
}

#[test]
fn an_answer_of_other_types_names_no_failures() {
    const NO_FIT: &str = "shows no run that fits";
    let odd = [
        "null",
        "7",
        "\"executions\"",
        "[[[]]]",
        "{}",
        r#"{"executions": {"id": "e1"}}"#,
        r#"{"executions": [7, null, [], "e1", {"id": {}, "finishedAt": []}]}"#,
        r#"{"executions": [{"id": "e1", "finishedAt": 1e300}]}"#,
        r#"{"executions": [{"id": "../../me", "finishedAt": "yesterday"}]}"#,
    ];
    for odd in odd {
        check(odd, vec![ok(odd)], NO_FIT);
        check(odd, vec![ok(EXECUTIONS), ok(odd)], NO_FIT);
        check(odd, vec![ok(EXECUTIONS), ok(RUNS), ok(odd)], NO_FIT);
    }
    let elsewhere = r#"{"executions": [{"id": "../../me", "finishedAt": "2026-11-22T09:59:58Z"}]}"#;
    check("an id that leads elsewhere", vec![ok(elsewhere)], "does not show this monitor's runs");
    let long = EXECUTIONS.replace("e1", &"e".repeat(500_000));
    check("an id of 500 kB", vec![ok(&long)], NO_FIT);
}

#[test]
fn an_answer_that_is_long_or_deep_names_no_failures() {
    let many = format!("[{}7]", r#"{"assertion": 7, "error": [], "passed": "no"},"#.repeat(11_000));
    assert!(many.len() > 500_000);
    check("500 kB", vec![ok(EXECUTIONS), ok(RUNS), ok(&many)], "shows no run that fits");
    check("a million deep", vec![ok(&"[".repeat(1_000_000))], "is not JSON");
    let closed = "[".repeat(100_000) + &"]".repeat(100_000);
    check("deep and whole", vec![ok(EXECUTIONS), ok(RUNS), ok(&closed)], "is not JSON");
    check("too long", vec![ok(&" ".repeat(ANSWER_BYTES_MAX + 1))], "is longer than");
}

#[test]
fn an_answer_that_is_none_names_no_failures() {
    check("403", vec![answer("403 Forbidden", "", "{}")], "its key may not see runs");
    check("401", vec![answer("401 Unauthorized", "", "{}")], "its key is wrong");
    check("404", vec![answer("404 Not Found", "", "<html>")], "does not show this monitor's runs");
    let often = answer("429 Too Many Requests", "X-RateLimit-RetryAfter: 7\r\n", "{}");
    check("429", vec![often], "wait_s=7");
    check("500", vec![answer("500 Internal Server Error", "", "{}")], "it answered 500");
    check("302", vec![answer("302 Found", "location: http://127.0.0.1:9/\r\n", "")], "it answered 302");
    let mut half = ok(EXECUTIONS);
    half.truncate(half.len() - 20);
    check("half a body", vec![half], "cannot be asked what failed");
    check(
        "no body",
        vec![b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec()],
        "cannot be asked what failed",
    );
    check("nothing", vec![Vec::new()], "cannot be asked what failed");
    check("no HTTP", vec![b"hello\r\n\r\n".to_vec()], "cannot be asked what failed");
    let latin = [&ok("")[..], b"\xff\xfe"].concat();
    let latin =
        String::from_utf8_lossy(&latin).replace("content-length: 0", "content-length: 6").into_bytes();
    check("no text", vec![latin], "is not JSON");
    check("a page", vec![ok("<html>maintenance</html>")], "is not JSON");
}

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread::JoinHandle,
};

use clap::Parser;
use postroom_core::{classify::classify, event::Kind};

use super::*;
use crate::output::Colour;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// A server on this machine that gives one prepared answer after the other and keeps the bodies it got.
struct Receiver {
    url: String,
    bodies: JoinHandle<Vec<Vec<u8>>>,
}

impl Receiver {
    fn answering(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks/postman?token=planted", listener.local_addr().unwrap());
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let serve =
            move || answers.iter().map(|answer| take_one(listener.accept().unwrap().0, answer)).collect();
        Self { url, bodies: std::thread::spawn(serve) }
    }
}

fn take_one(mut stream: TcpStream, answer: &str) -> Vec<u8> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, reply) = answer.split_once(' ').unwrap();
    let bytes = reply.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n{reply}"
    )
    .unwrap();
    body
}

/// Sends to a receiver with these answers; gives how it ended, what was printed, and the bodies.
fn send_to(answers: &[&str], args: &[&str]) -> (Result<(), Exit>, String, Vec<Vec<u8>>) {
    let receiver = Receiver::answering(answers);
    let args = ["send", "--to", &receiver.url].into_iter().chain(args.iter().copied());
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let ended = run(Cli::parse_from(args).args, &mut Output::new(&mut data, &mut talk, Colour::default()));
    let printed = String::from_utf8([data, talk].concat()).unwrap();
    assert!(!printed.contains("planted"), "{printed}");
    (ended.map_err(|failure| failure.exit()), printed, receiver.bodies.join().unwrap())
}

const ACCEPTED: &str = r#"202 {"event_id":"0198","kind":"activity","deliveries":2}"#;

#[test]
fn without_a_kind_one_of_each_is_sent() {
    let (ended, printed, bodies) = send_to(&[ACCEPTED; 3], &[]);
    assert_eq!(ended, Ok(()));
    assert!(printed.contains("activity, event 0198, 2 deliveries"), "{printed}");
    assert!(printed.contains("3 answered 202"), "{printed}");
    let kinds: Vec<Kind> = bodies.iter().map(|body| classify(body, "postman").kind).collect();
    assert_eq!(kinds, [Kind::MonitorRun, Kind::CollectionBackup, Kind::Activity]);
}

#[test]
fn a_collection_file_is_sent_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collection.json");
    let collection = "{\"info\": {\"name\" : \"a\\u0062\"}}\n";
    std::fs::write(&file, collection).unwrap();
    let (ended, _, bodies) = send_to(&[ACCEPTED], &["backup", "--collection", file.to_str().unwrap()]);
    assert_eq!(ended, Ok(()));
    assert_eq!(bodies, [format!("{{\"collection\": {collection}}}").into_bytes()]);
}

#[test]
fn count_and_rate_and_concurrency_send_all() {
    let (ended, printed, bodies) =
        send_to(&[ACCEPTED; 25], &["activity", "--count", "25", "--rate", "1000", "--concurrency", "4"]);
    assert_eq!(ended, Ok(()));
    assert_eq!(bodies.len(), 25);
    assert!(printed.contains("25 answered 202\np50 "), "{printed}");
    assert!(!printed.contains("event 0198"), "so many get no line each");
}

#[test]
fn a_refusal_shows_what_the_server_says() {
    let (ended, printed, _) =
        send_to(&[r#"401 {"title":"Unauthorized","detail":"no or wrong\u001b token"}"#], &["activity"]);
    assert_eq!(ended, Err(Exit::Refused));
    assert!(printed.contains("401") && printed.contains("no or wrong  token"), "{printed}");
}

#[test]
fn other_answers_fail_and_redirects_are_not_followed() {
    let (ended, printed, _) = send_to(&["503 busy"], &["activity"]);
    assert_eq!(ended, Err(Exit::Failed), "{printed}");
    let (ended, printed, _) = send_to(&["307 "], &["activity"]);
    assert_eq!(ended, Err(Exit::Failed), "{printed}");
}

#[test]
fn a_collection_goes_with_backups_only() {
    let args = Cli::parse_from(["send", "--to", "http://127.0.0.1:1", "activity", "--collection", "x"]).args;
    assert_eq!(Script::of(&args).unwrap_err().exit(), Exit::Usage);
}

#[test]
fn the_rate_spreads_requests_evenly() {
    let rate = NonZeroU32::new(4).unwrap();
    assert_eq!(due(0, rate), Duration::ZERO);
    assert_eq!(due(2, rate), Duration::from_millis(500));
    assert_eq!(due(8, rate), Duration::from_secs(2));
}

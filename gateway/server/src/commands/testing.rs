//! A gateway that says what a test wants, for the commands that talk to one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use serde_json::Value;

use crate::{
    command::Failure,
    output::{Colour, Output},
};

/// A gateway that gives these answers, one after the other; in the end the requests, each with its body.
pub(super) fn gateway(answers: Vec<(u16, Value)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let mut seen = Vec::new();
        for (status, answer) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                lines.read_line(&mut line).unwrap();
                let (name, value) = line.trim().split_once(": ").unwrap_or_default();
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "authorization" => assert_eq!(value, "Bearer a-key-of-many-letters"),
                    _ => {}
                }
                if head.is_empty() {
                    head = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            seen.push(format!("{head} {}", String::from_utf8(body).unwrap()).trim().to_owned());
            let answer = answer.to_string();
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                answer.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
        seen
    });
    (url, answering)
}

/// Runs a command as `P` understands it, against a gateway with these answers; gives how it ended, what it printed, and what
/// was asked.
pub(super) fn ran<P: clap::Parser>(
    answers: Vec<(u16, Value)>,
    args: &[&str],
    run: impl FnOnce(P, &mut Output<'_>) -> Result<(), Failure>,
) -> (Result<(), Failure>, String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-many-letters\n").unwrap();
    let (url, answering) = gateway(answers);
    let flags = ["--url", &url, "--key-file", key.to_str().unwrap()];
    let parsed = P::try_parse_from(args.iter().chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    let ended = run(parsed, &mut output);
    (ended, String::from_utf8([data, talk].concat()).unwrap(), answering.join().unwrap())
}

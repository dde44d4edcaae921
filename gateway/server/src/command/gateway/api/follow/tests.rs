use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use postroom_core::secret::Secret;
use reqwest::Url;

use super::{super::Api, Followed};
use crate::command::Exit;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 1\nid: 0\n\n";

/// Reads a request and gives the lines of its head.
fn head(stream: &TcpStream) -> Vec<String> {
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn a_broken_stream_goes_on_behind_what_was_told_until_the_gateway_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let serving = thread::spawn(move || {
        let answers = [
            format!("{ANSWER}id: 1\nevent: events\ndata: {{\"n\":1}}\n\nid: 2\nevent: events\ndata: {{\"n\""),
            "HTTP/1.1 503 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
            format!("{ANSWER}id: 2\nevent: events\ndata: {{\"n\":2}}\n\n"),
            "HTTP/1.1 401 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        ];
        answers.map(|answer| {
            let (mut stream, _) = listener.accept().unwrap();
            let head = head(&stream);
            stream.write_all(answer.as_bytes()).unwrap();
            let after = head.iter().find_map(|line| line.strip_prefix("last-event-id: "));
            (head[0].clone(), after.map(str::to_owned))
        })
    });

    let api = Api::new(url, Secret::new("a-key-of-many-letters")).unwrap();
    let (mut told, mut broken) = (Vec::new(), 0);
    let failure = api
        .follow(&[("topic", "events".to_owned())], |followed| {
            match followed {
                Followed::Message { topic, id, data } => told.push((topic, id.unwrap(), data["n"].clone())),
                Followed::Broken => broken += 1,
            }
            Ok(())
        })
        .unwrap_err();
    assert_eq!(failure.exit(), Exit::Refused);
    let event = |n: u64| ("events".to_owned(), n.to_string(), n.into());
    assert_eq!((told, broken), (vec![event(1), event(2)], 2));
    let asked = serving.join().unwrap();
    assert!(asked.iter().all(|(line, _)| line == "GET /api/v1/stream?topic=events HTTP/1.1"), "{asked:?}");
    let after = asked.map(|(_, after)| after);
    assert_eq!(after, [None, Some("1"), Some("1"), Some("2")].map(|id| id.map(str::to_owned)));
}

//! The remote side of a test: answers each request with the next of its replies and remembers what it was asked.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
};

/// One request as it came.
#[derive(Debug)]
pub(crate) struct Request {
    /// Method and path, such as `POST /hook`.
    pub(crate) line: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header that must not come twice.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.iter().filter(|(key, _)| key == name).collect();
        assert!(values.len() <= 1, "{name} came {} times", values.len());
        values.first().map(|(_, value)| value.as_str())
    }
}

/// A server on a port of its own. It ends after its last reply, and then refuses connections.
#[derive(Debug)]
pub(crate) struct HttpDouble {
    address: SocketAddr,
    requests: Receiver<Request>,
}

impl HttpDouble {
    /// Starts with its replies: what stands behind `HTTP/1.1 `, head and body, such as `503 Busy\r\n\r\nlater`.
    pub(crate) fn start<S: Into<String>>(replies: impl IntoIterator<Item = S>) -> Self {
        let replies: Vec<String> = replies.into_iter().map(Into::into).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for reply in replies {
                let (stream, _) = listener.accept().unwrap();
                let request = answer(stream, &reply);
                // A test that does not ask for its requests is fine.
                drop(sender.send(request));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request; waits for it.
    pub(crate) fn request(&self) -> Request {
        self.requests.recv().expect("a request for each reply")
    }
}

fn answer(stream: TcpStream, reply: &str) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0).trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.iter().map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let mut request = Request { line, headers, body: Vec::new() };
    let length = request.header("content-length").expect("a length").parse().unwrap();
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).unwrap();

    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    let length = body.len();
    let reply = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    reader.into_inner().write_all(reply.as_bytes()).unwrap();
    request
}

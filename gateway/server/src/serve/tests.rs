use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use poem::{Body, Endpoint, Response, endpoint::make};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::{Limits, serve};

/// A bound that a test is about.
const SHORT: Duration = Duration::from_millis(40);
/// Longer than any test may take: a bound that must not be the one that acts, and the patience of a client.
const LONG: Duration = Duration::from_secs(60);

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn limits() -> Limits {
    Limits {
        threads: 2,
        connections_max: 10,
        first_byte_max: LONG,
        header_read_max: LONG,
        idle_max: LONG,
        drain_max: LONG,
        linger_bytes_max: 128 * 1024 * 1024,
        linger_max: LONG,
    }
}

struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestServer {
    async fn start(endpoint: impl Endpoint<Output = Response> + 'static, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(serve(listener, endpoint, limits, async {
            stopped.await.unwrap();
        }));
        Self { address, stop: Some(stop), running }
    }

    async fn with(limits: Limits) -> Self {
        Self::start(make(|_| async { Response::from("hello") }), limits).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn ended(self) {
        within(self.running).await.unwrap();
    }
}

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("the server should have acted by now")
}

/// Reads until the server closes.
async fn read_all(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    within(client.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until what came ends with `end`.
async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = within(client.read_u8()).await.unwrap();
        text.push(char::from(byte));
    }
    text
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let server = TestServer::with(Limits { first_byte_max: SHORT, ..limits() }).await;
    assert_eq!(read_all(&mut server.connect().await).await, "");
}

#[tokio::test]
async fn half_a_header_is_closed() {
    let server = TestServer::with(Limits { header_read_max: SHORT, ..limits() }).await;
    let mut client = server.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    let answer = read_all(&mut client).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_first_letter_that_both_versions_of_http_have_is_closed() {
    let server = TestServer::with(Limits { idle_max: SHORT, ..limits() }).await;
    let mut client = server.connect().await;
    client.write_all(b"P").await.unwrap();
    assert_eq!(read_all(&mut client).await, "");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answers() {
    let server = TestServer::with(Limits { idle_max: SHORT, ..limits() }).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.write_all(GET).await.unwrap();
        read_until(&mut client, "hello").await;
    }
    assert_eq!(read_all(&mut client).await, "");
}

/// Reads one frame of HTTP/2 and gives its type.
async fn read_frame(client: &mut TcpStream) -> u8 {
    let mut head = [0; 9];
    within(client.read_exact(&mut head)).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    within(client.read_exact(&mut payload)).await.unwrap();
    head[3]
}

#[tokio::test]
async fn an_idle_http_2_connection_is_told_to_go_away() {
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    let server = TestServer::with(Limits { idle_max: SHORT, ..limits() }).await;
    let mut client = server.connect().await;
    let empty_settings = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    client.write_all(&empty_settings).await.unwrap();
    assert_eq!(read_frame(&mut client).await, SETTINGS);
    while read_frame(&mut client).await != GOAWAY {}
}

#[tokio::test]
async fn a_request_that_takes_long_is_not_idle() {
    let go_on = Arc::new(Notify::new());
    let waits = Arc::clone(&go_on);
    let endpoint = make(move |_| {
        let waits = Arc::clone(&waits);
        async move {
            waits.notified().await;
            Response::from("done")
        }
    });
    let idle_max = Duration::from_millis(5);
    let server = TestServer::start(endpoint, Limits { idle_max, ..limits() }).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    // A second client that is closed for idling shows that the first one outlived many looks.
    for _ in 0..3 {
        let mut other = server.connect().await;
        other.write_all(b"P").await.unwrap();
        read_all(&mut other).await;
    }
    go_on.notify_one();
    read_until(&mut client, "done").await;
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_place() {
    let server = TestServer::with(Limits { connections_max: 1, ..limits() }).await;
    let mut first = server.connect().await;
    first.write_all(GET).await.unwrap();
    read_until(&mut first, "hello").await;

    let mut second = server.connect().await;
    second.write_all(GET).await.unwrap();
    first.write_all(GET).await.unwrap();
    read_until(&mut first, "hello").await;
    assert!(second.try_read(&mut [0]).is_err(), "the second connection was served beside the first");

    drop(first);
    read_until(&mut second, "hello").await;
}

#[tokio::test]
async fn stopping_lets_an_open_request_end_and_refuses_new_ones() {
    let begun = Arc::new(Notify::new());
    let go_on = Arc::new(Notify::new());
    let (begins, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
    let endpoint = make(move |_| {
        let (begins, waits) = (Arc::clone(&begins), Arc::clone(&waits));
        async move {
            begins.notify_one();
            waits.notified().await;
            Response::from("done")
        }
    });
    let mut server = TestServer::start(endpoint, limits()).await;
    let mut busy = server.connect().await;
    let mut silent = server.connect().await;
    busy.write_all(GET).await.unwrap();
    within(begun.notified()).await;

    server.stop();
    assert_eq!(read_all(&mut silent).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    go_on.notify_one();
    assert!(read_all(&mut busy).await.ends_with("done"));
    server.ended().await;
}

#[tokio::test]
async fn stopping_ends_in_time_when_a_request_does_not() {
    let begun = Arc::new(Notify::new());
    let begins = Arc::clone(&begun);
    let endpoint = make(move |_| {
        begins.notify_one();
        std::future::pending::<Response>()
    });
    let mut server = TestServer::start(endpoint, Limits { drain_max: SHORT, ..limits() }).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    within(begun.notified()).await;
    server.stop();
    server.ended().await;
    assert_eq!(read_all(&mut client).await, "");
}

/// Sends all of a large body before it reads, as simple clients do, to an endpoint that takes `taken` chunks of it.
async fn send_to_refusing(taken: usize, header: &str, mebibytes: usize) -> String {
    let refusing = make(move |mut request: poem::Request| async move {
        let mut chunks = Box::pin(request.take_body().into_bytes_stream());
        for _ in 0..taken {
            futures_util::StreamExt::next(&mut chunks).await;
        }
        Response::builder().status(http::StatusCode::PAYLOAD_TOO_LARGE).body("no")
    });
    let server = TestServer::start(refusing, limits()).await;
    let mut client = server.connect().await;
    client.write_all(format!("POST / HTTP/1.1\r\nhost: a\r\n{header}\r\n\r\n").as_bytes()).await.unwrap();
    let mebibyte = vec![b'x'; 1024 * 1024];
    for _ in 0..mebibytes {
        if header.contains("chunked") {
            client.write_all(b"100000\r\n").await.unwrap();
        }
        within(client.write_all(&mebibyte)).await.unwrap();
        if header.contains("chunked") {
            client.write_all(b"\r\n").await.unwrap();
        }
    }
    read_until(&mut client, "no").await
}

#[tokio::test]
async fn a_client_that_sends_65_mebibytes_gets_to_read_the_refusal() {
    let answer = send_to_refusing(0, "content-length: 68157440", 65).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn so_does_one_that_was_read_in_part() {
    for header in ["content-length: 8388608", "transfer-encoding: chunked"] {
        let answer = send_to_refusing(3, header, 8).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

#[tokio::test]
async fn the_endpoint_sees_who_is_connected() {
    let seen = Arc::new(Mutex::new(None));
    let sees = Arc::clone(&seen);
    let endpoint = make(move |request: poem::Request| {
        *sees.lock().unwrap() = request.remote_addr().as_socket_addr().copied();
        async { Response::from("hello") }
    });
    let server = TestServer::start(endpoint, limits()).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    read_until(&mut client, "hello").await;
    assert_eq!(*seen.lock().unwrap(), Some(client.local_addr().unwrap()));
}

/// The names of the threads that serve two connections which are open at once.
async fn names_of_serving_threads(threads: usize) -> [String; 2] {
    let endpoint = make(|_| async {
        let thread = std::thread::current();
        Response::from(format!("{} {:?}!", thread.name().unwrap_or("test"), thread.id()))
    });
    let server = TestServer::start(endpoint, Limits { threads, ..limits() }).await;
    let mut clients = [server.connect().await, server.connect().await];
    let mut names = [String::new(), String::new()];
    for (client, name) in clients.iter_mut().zip(&mut names) {
        client.write_all(GET).await.unwrap();
        let answer = read_until(client, "!").await;
        answer.lines().last().unwrap().clone_into(name);
    }
    names
}

#[tokio::test]
async fn connections_are_spread_over_the_threads() {
    let [first, second] = names_of_serving_threads(2).await;
    assert!(first.starts_with("connections ") && second.starts_with("connections "), "{first} {second}");
    assert_ne!(first, second);
}

#[tokio::test]
async fn without_threads_connections_are_served_where_the_server_runs() {
    let here = names_of_serving_threads(0).await;
    assert!(here.iter().all(|name| !name.starts_with("connections ")), "{here:?}");
}

#[tokio::test]
async fn a_stopped_server_leaves_no_thread_and_no_task_behind() {
    let left = Arc::new(Notify::new());
    let told = Arc::clone(&left);
    let endpoint = make(move |_| {
        let dropped = Dropped(Arc::clone(&told));
        async move {
            tokio::spawn(async move {
                let _dropped = dropped;
                std::future::pending::<()>().await;
            });
            Response::from("hello")
        }
    });
    let mut server = TestServer::start(endpoint, limits()).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    read_until(&mut client, "hello").await;
    server.stop();
    server.ended().await;
    within(left.notified()).await;
}

/// Says when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_client_that_never_reads_its_answer_is_left() {
    let left = Arc::new(Notify::new());
    let told = Arc::clone(&left);
    let endless = make(move |_| {
        let dropped = Dropped(Arc::clone(&told));
        async move {
            let chunks = stream::unfold(dropped, |dropped| async {
                Some((Ok::<_, std::io::Error>(Bytes::from_static(&[0; 65_536])), dropped))
            });
            Response::builder().body(Body::from_bytes_stream(chunks))
        }
    });
    let server = TestServer::start(endless, Limits { idle_max: SHORT, ..limits() }).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    within(left.notified()).await;
}

/// Time goes on only where the test says so, because a thread is busy: see `tokio::time::pause`.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_long_answer_slowly_keeps_its_connection() {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let busy = tokio::task::spawn_blocking(move || ended.recv());
    let made = Arc::new(AtomicUsize::new(0));
    let makes = Arc::clone(&made);
    let endless = make(move |_| {
        let makes = Arc::clone(&makes);
        async move {
            let chunks = stream::repeat_with(move || {
                makes.fetch_add(1, Ordering::SeqCst);
                Ok::<_, std::io::Error>(Bytes::from_static(&[0; 65_536]))
            });
            Response::builder().body(Body::from_bytes_stream(chunks))
        }
    });
    let idle_max = Duration::from_secs(25);
    let server = TestServer::start(endless, Limits { threads: 0, idle_max, ..limits() }).await;
    let mut client = server.connect().await;
    client.write_all(GET).await.unwrap();
    let mut bytes = vec![0; 65_536];
    for look in 0..8 {
        let before = made.load(Ordering::SeqCst);
        while made.load(Ordering::SeqCst) == before {
            assert_ne!(client.read(&mut bytes).await.unwrap_or(0), 0, "cut at look {look}");
        }
        tokio::time::advance(idle_max).await;
    }
    drop(end);
    assert!(busy.await.unwrap().is_err());
}

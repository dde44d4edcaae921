//! The HTTP server under every double.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinSet,
};

use super::{Reply, Request, journal::Journal, scripts::Scripts};

/// How a double answers when its script has nothing more to say.
pub trait Rules: Send + Sync + 'static {
    /// The reply to a request. `request.answered` is not known yet.
    fn answer(&self, request: &Request) -> Reply;
}

/// A server that stands for one of the outside world. It ends when it is dropped.
#[derive(Debug)]
pub struct Double {
    address: SocketAddr,
    /// Bound and never listening: keeps the port ours while the double is down, and refuses connections then.
    _reserved: TcpSocket,
    shared: Arc<Shared>,
    /// The accept loop, and in it every connection.
    serving: JoinSet<()>,
}

struct Shared {
    rules: Box<dyn Rules>,
    scripts: Scripts,
    journal: Journal,
}

impl Double {
    /// Starts a double that answers by `rules`.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(rules: impl Rules) -> Self {
        let mut double = Self::start_down(rules);
        double.up();
        double
    }

    /// Like [`start`](Self::start), but refuses connections until [`up`](Self::up).
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start_down(rules: impl Rules) -> Self {
        let reserved = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = reserved.local_addr().expect("a bound socket has an address");
        let shared =
            Shared { rules: Box::new(rules), scripts: Scripts::default(), journal: Journal::default() };
        Self { address, _reserved: reserved, shared: Arc::new(shared), serving: JoinSet::new() }
    }

    /// Closes the port and every connection. Connections are refused from now on.
    pub async fn down(&mut self) {
        self.serving.shutdown().await;
    }

    /// Takes connections, on the same port as ever.
    ///
    /// # Panics
    /// When the port cannot be opened.
    pub fn up(&mut self) {
        let listener = socket(self.address).listen(1024).expect("a reserved port can be opened");
        self.serving.spawn(accept(listener, Arc::clone(&self.shared)));
    }

    /// The URL of `path` at this double.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Lays out the replies to the next requests, whatever they are about.
    pub fn script<R: Into<Reply>>(&self, replies: impl IntoIterator<Item = R>) {
        self.shared.scripts.add(None, replies.into_iter().map(Into::into));
    }

    /// Lays out the replies to the next requests about a monitor. They go before those for any request.
    pub fn script_for<R: Into<Reply>>(&self, monitor: &str, replies: impl IntoIterator<Item = R>) {
        self.shared.scripts.add(Some(monitor), replies.into_iter().map(Into::into));
    }

    /// Every request so far, refused ones too, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.journal.all()
    }

    /// The requests that were answered with a 2xx, in order of arrival.
    #[must_use]
    pub fn taken(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.answered.is_success()).collect()
    }

    /// Waits until there are `count` requests or more, and gives all there are.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn at_least(&self, count: usize) -> Vec<Request> {
        self.shared.journal.at_least(count).await
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("journal", &self.journal).finish_non_exhaustive()
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let bound = TcpSocket::new_v4().and_then(|socket| {
        // Lets the listener share the port with the socket that reserves it, and with nobody else.
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    bound.expect("a local port can be bound")
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("the system can open another socket");
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            // A gateway that is killed breaks its connections off; that is its test's business, not ours.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: http::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    // A body that breaks off never was a request.
    let body = body.collect().await?.to_bytes();
    let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let mut request =
        Request { method: head.method, target, headers: head.headers, body, answered: Default::default() };
    let reply = shared.scripts.take(&request).unwrap_or_else(|| shared.rules.answer(&request));
    request.answered = reply.status;
    shared.journal.add(request);
    if let Some(gate) = &reply.gate {
        gate.passed().await;
    }
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers);
    Ok(response)
}

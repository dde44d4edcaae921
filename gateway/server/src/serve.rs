//! The accept loop: hyper around the endpoint, with a bound on everything a client may take.
//!
//! poem brings a server of its own. It runs hyper without timers, so that a client who sends half a header is waited for
//! for ever, and it spins when the process is out of file descriptors. Hence this one.

use std::{
    convert::Infallible, future::Future, io, num::NonZero, pin::pin, sync::Arc, thread, time::Duration,
};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use poem::{
    Endpoint, Request, Response,
    web::{LocalAddr, RemoteAddr},
};
use postroom_openapi::stream::Endless;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

mod activity;
mod descriptors;
mod linger;
mod places;
mod wakes;
mod workers;

use activity::Activity;
use places::Places;
use workers::Workers;

/// What clients may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads that connections are served on. With none, they are served where the server runs.
    pub threads: usize,
    /// Connections open at once; more wait in the system's queue.
    pub connections_max: usize,
    /// How long a new connection may be silent.
    pub first_byte_max: Duration,
    /// How long a header may take. On HTTP/1 a pause between two requests counts as part of the next header.
    pub header_read_max: Duration,
    /// How long a connection may be open without a request, and without the client taking a piece of an answer; it is
    /// closed after at most twice this time, and after three times if the client does not read its last answer.
    pub idle_max: Duration,
    /// How long open requests may take to end once the server stops.
    pub drain_max: Duration,
    /// How much of a refused body is read and thrown away, in bytes, so that the client gets to read the refusal.
    pub linger_bytes_max: u64,
    /// How long that may take.
    pub linger_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            connections_max: descriptors::raise_for(CONNECTIONS_MAX),
            first_byte_max: Duration::from_secs(10),
            header_read_max: Duration::from_secs(30),
            // Below the time for a header: tokio makes a system call for a timer that is due before all others, and
            // for the header of each request there is one.
            idle_max: Duration::from_secs(25),
            drain_max: Duration::from_secs(30),
            linger_bytes_max: 128 * 1024 * 1024,
            linger_max: Duration::from_secs(10),
        }
    }
}

/// Connections open at once, where the system allows as many descriptors.
const CONNECTIONS_MAX: usize = 16 * 1024;
/// Shortest and longest pause after the system refused to accept.
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(10);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long a reader of what has no end may take to read its last piece once the server stops.
const PART_MAX: Duration = Duration::from_secs(1);
/// HTTP/2: how often a silent client is asked whether it is still there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_ANSWER_MAX: Duration = Duration::from_secs(10);
/// HTTP/2: requests of one connection open at once.
const STREAMS_MAX: u32 = 128;
/// HTTP/2: largest header, in bytes.
const HEADER_BYTES_MAX: u32 = 32 * 1024;

/// How far the server's life has come, as its connections see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Open requests may end, no new ones begin.
    Draining,
    /// Nobody waits any longer for readers of what has no end.
    Parting,
    /// Everything ends now.
    Over,
}

/// Serves `endpoint` on `listener` until `shutdown` is ready, then lets open requests end and returns. No connection is
/// open when it returns.
pub async fn serve<E>(listener: TcpListener, endpoint: E, limits: Limits, shutdown: impl Future<Output = ()>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let (stage, _) = watch::channel(Stage::Serving);
    let drain_max = limits.drain_max;
    let workers = Workers::start(limits.threads);
    let server = Arc::new(Server { endpoint, http: http(&limits), limits });
    tokio::select! {
        never = accept(&listener, &server, &workers, &stage) => match never {},
        () = shutdown => {}
    }
    // New clients must be refused at once, not left in the queue of a listener that nobody asks.
    drop(listener);

    stage.send_replace(Stage::Draining);
    let part_max = PART_MAX.min(drain_max);
    if timeout(part_max, stage.closed()).await.is_err() {
        stage.send_replace(Stage::Parting);
    }
    if timeout(drain_max.saturating_sub(part_max), stage.closed()).await.is_err() {
        tracing::warn!(
            connections = stage.receiver_count(),
            "open requests did not end in time, closing them"
        );
        stage.send_replace(Stage::Over);
        stage.closed().await;
    }
    workers.stop().await;
}

struct Server<E> {
    endpoint: E,
    http: auto::Builder<TokioExecutor>,
    limits: Limits,
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_read_max);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_ANSWER_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX);
    http
}

async fn accept<E>(
    listener: &TcpListener,
    server: &Arc<Server<E>>,
    workers: &Workers,
    stage: &watch::Sender<Stage>,
) -> Infallible
where
    E: Endpoint<Output = Response> + 'static,
{
    let mut places = Places::new(server.limits.connections_max);
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        let place = places.take().await;
        match listener.accept().await {
            Ok((stream, remote)) => {
                pause = ACCEPT_PAUSE_MIN;
                let (server, stage) = (Arc::clone(server), stage.subscribe());
                workers.spawn(stream, move |stream| async move {
                    server.connection(stream, RemoteAddr(remote.into()), stage).await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            // Out of file descriptors or memory: trying again at once would only burn what is left.
            Err(error) => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept connections");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

/// Whether an error of `accept` is about the client that was next in the queue, who is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

impl<E: Endpoint<Output = Response> + 'static> Server<E> {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        remote: RemoteAddr,
        mut stage: watch::Receiver<Stage>,
    ) {
        // Without it a small answer may wait for the client's acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch delays off");
        }
        let Ok(local) = stream.local_addr() else { return };
        // hyper-util has no timer before it knows the version of HTTP.
        let mut first_byte = [0];
        tokio::select! {
            first = timeout(self.limits.first_byte_max, stream.peek(&mut first_byte)) => match first {
                Ok(Ok(1..)) => {}
                _ => return,
            },
            _ = stage.changed() => return,
        }

        let local = LocalAddr(local.into());
        let activity = Activity::default();
        let service = service_fn(|request| {
            let (server, open) = (Arc::clone(&self), activity.begin());
            let request = server.request(request, &local, &remote);
            async move {
                let response = server.endpoint.get_response(request).await;
                let endless = response.data::<Endless>().is_some();
                Ok::<_, Infallible>(http::Response::from(response).map(|body| open.answer(body, endless)))
            }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut look = interval(self.limits.idle_max);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.tick().await;
        let mut leaving = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended");
                    }
                    return;
                }
                _ = stage.changed() => match *stage.borrow_and_update() {
                    Stage::Serving => {}
                    Stage::Draining => connection.as_mut().graceful_shutdown(),
                    Stage::Parting if activity.is_endless() => return,
                    Stage::Parting => {}
                    Stage::Over => return,
                },
                _ = look.tick() => match (activity.was_none(), leaving) {
                    (false, _) => leaving = false,
                    (true, false) => {
                        leaving = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    // A client that does not read its answer cannot be left politely.
                    (true, true) => return,
                },
            }
        }
    }

    fn request(&self, request: http::Request<Incoming>, local: &LocalAddr, remote: &RemoteAddr) -> Request {
        let lingers = linger::is_needed(&request);
        let mut request = Request::from((request, local.clone(), remote.clone(), http::uri::Scheme::HTTP));
        if lingers {
            let body = request.take_body();
            request.set_body(linger::linger(body, self.limits.linger_bytes_max, self.limits.linger_max));
        }
        request
    }
}

#[cfg(test)]
mod tests;

//! The HTTP server under the doubles.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};
use url::form_urlencoded;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The host that it is meant for.
    pub(crate) host: String,
    /// Without the query, as it was sent.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) type Reply = Response<Bytes>;

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

pub(crate) fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    Response::builder().status(status).body(body.into()).unwrap()
}

pub(crate) fn json(status: u16, body: &Value) -> Reply {
    let mut reply = reply(status, body.to_string());
    reply.headers_mut().insert("content-type", "application/json".parse().unwrap());
    reply
}

/// How a service answers.
pub(crate) trait Rules: Send + Sync + 'static {
    fn answer(&self, call: &Call) -> Reply;
}

/// A server with the rules of a service. It ends when it is dropped.
pub(crate) struct Double<R> {
    pub(crate) address: SocketAddr,
    pub(crate) rules: Arc<R>,
    refusals: Arc<Mutex<Vec<(String, Reply)>>>,
    calls: Arc<Mutex<Vec<Call>>>,
    _serving: JoinSet<()>,
}

impl<R: Rules> Double<R> {
    pub(crate) async fn start(rules: R) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let rules = Arc::new(rules);
        let refusals: Arc<Mutex<Vec<(String, Reply)>>> = Arc::default();
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let mut serving = JoinSet::new();
        let shared = (Arc::clone(&rules), Arc::clone(&refusals), Arc::clone(&calls));
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let (rules, refusals, calls) = shared.clone();
                    async move {
                        // A broken upload ends here: the service never sees it.
                        let call = read(request).await?;
                        calls.lock().unwrap().push(Call { body: Bytes::new(), ..call.clone() });
                        let refusal = {
                            let mut refusals = refusals.lock().unwrap();
                            let place = refusals.iter().position(|(path, _)| call.path.contains(path));
                            place.map(|place| refusals.remove(place).1)
                        };
                        let reply = refusal.unwrap_or_else(|| rules.answer(&call));
                        Ok::<_, hyper::Error>(reply.map(Full::new))
                    }
                });
                connections.spawn(async move {
                    // A client that hangs up is what some tests are about.
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Self { address, rules, refusals, calls, _serving: serving }
    }

    /// Answers the next request whose path contains `path` otherwise.
    pub(crate) fn refuse(&self, path: &str, reply: Reply) {
        self.refusals.lock().unwrap().push((path.to_owned(), reply));
    }

    /// Requests until now, without their bodies.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl<R> fmt::Debug for Double<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Double").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn read(request: Request<Incoming>) -> Result<Call, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let query = parts.uri.query().unwrap_or_default();
    let host = parts.headers.get("host").expect("a host").to_str().unwrap();
    Ok(Call {
        method: parts.method,
        host: host.to_owned(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers,
        body,
    })
}

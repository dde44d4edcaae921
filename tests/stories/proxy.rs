//! A gateway of tomorrow: it stands before one of today, and lets its answers grow.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use reqwest::Method;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

use super::later::{grow, schema_of_answer};
use crate::harness::{Answer, Client};

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Proxy {
    /// Stands before the gateway that `today` speaks to.
    pub(super) async fn start(today: Client) -> Self {
        let document = Answer::to(today.request(Method::GET, "/openapi.json")).await.json();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, Arc::new((today, document))));
        Self { address, _serving: serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener, gateway: Arc<(Client, Value)>) {
    // Ends with this loop, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("an open socket accepts");
        let gateway = Arc::clone(&gateway);
        connections.spawn(async move {
            let service = service_fn(|request| answer(&gateway, request));
            // A client that hangs up has what it wanted.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn answer(
    (today, document): &(Client, Value),
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut asked = today.request(head.method.clone(), target).body(body.collect().await?.to_bytes());
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = head.headers.get(&name) {
            asked = asked.header(name, value);
        }
    }
    let mut answer = Answer::to(asked).await;
    let schema = schema_of_answer(document, head.method.as_str(), head.uri.path(), answer.status.as_u16());
    if let (Some(schema), true) = (schema, answer.header("content-type").contains("json")) {
        let mut grown = answer.json();
        grow(document, schema, &mut grown);
        answer.body = grown.to_string().into();
    }
    let mut response = Response::new(Full::new(answer.body.clone()));
    *response.status_mut() = answer.status;
    if let Some(content_type) = answer.headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type.clone());
    }
    Ok(response)
}

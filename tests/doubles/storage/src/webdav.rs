//! A real WebDAV server, on a folder, with a password.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use dav_server::{DavHandler, body::Body, fakels::FakeLs, localfs::LocalFs};
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

/// The server. Its files are below `/dav`.
#[derive(Debug)]
pub struct WebdavServer {
    /// Where it listens.
    pub address: SocketAddr,
    _serving: JoinSet<()>,
}

impl WebdavServer {
    /// Starts one on the folder `root`, for one user.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(root: &Path, user: &str, password: &str) -> Self {
        let handler = DavHandler::builder()
            .filesystem(LocalFs::new(root, false, false, false))
            .locksystem(FakeLs::new())
            .strip_prefix("/dav")
            .build_handler();
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, expected) = (handler.clone(), expected.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (handler, expected) = (handler.clone(), expected.clone());
                    async move {
                        let known =
                            request.headers().get(AUTHORIZATION).is_some_and(|given| *given == *expected);
                        Ok::<_, Infallible>(if known {
                            handler.handle(request).await
                        } else {
                            let mut refusal = Response::new(Body::from("who are you?"));
                            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
                            refusal
                        })
                    }
                });
                connections.spawn(async move {
                    // A client that hangs up is what some tests are about.
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Self { address, _serving: serving }
    }
}

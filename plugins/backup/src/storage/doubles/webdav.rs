//! A real WebDAV server, on a folder, with a password.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use dav_server::{DavHandler, body::Body, fakels::FakeLs, localfs::LocalFs};
use http::{Request, Response, header::AUTHORIZATION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

#[derive(Debug)]
pub(crate) struct WebdavServer {
    pub(crate) address: SocketAddr,
    _serving: JoinSet<()>,
}

impl WebdavServer {
    pub(crate) async fn start(root: &Path, user: &str, password: &str) -> Self {
        let handler = DavHandler::builder()
            .filesystem(LocalFs::new(root, false, false, false))
            .locksystem(FakeLs::new())
            .strip_prefix("/dav")
            .build_handler();
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
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
                            Response::builder().status(401).body(Body::from("who are you?")).unwrap()
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

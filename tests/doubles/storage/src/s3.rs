//! A real S3 server, on a folder.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, task::JoinSet};

/// The server.
#[derive(Debug)]
pub struct S3Server {
    /// Where it listens.
    pub address: SocketAddr,
    _serving: JoinSet<()>,
}

impl S3Server {
    /// Starts one with a bucket for each folder in `root`.
    ///
    /// # Panics
    /// When `root` is no folder or there is no free port.
    pub async fn start(root: &Path, key_id: &str, key: &str) -> Self {
        let mut builder = S3ServiceBuilder::new(FileSystem::new(root).expect("a folder"));
        builder.set_auth(SimpleAuth::from_single(key_id, key));
        let service = builder.build();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let http = auto::Builder::new(TokioExecutor::new());
                    // A client that hangs up is what some tests are about.
                    http.serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Self { address, _serving: serving }
    }
}

//! A line to a server that can be cut in the middle of an upload.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinSet,
};

/// What may pass on an uncut line.
const ENDLESS: i64 = i64::MAX;

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    /// Bytes that may pass yet towards the server.
    left: Arc<AtomicI64>,
    _serving: JoinSet<()>,
}

impl Line {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicI64::new(ENDLESS));
        let mut serving = JoinSet::new();
        let passes = Arc::clone(&left);
        serving.spawn(async move {
            let mut lines = JoinSet::new();
            loop {
                let Ok((near, _)) = listener.accept().await else { return };
                let Ok(far) = TcpStream::connect(server).await else { continue };
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = far.into_split();
                let passes = Arc::clone(&passes);
                lines.spawn(async move {
                    let endless = AtomicI64::new(ENDLESS);
                    // Whichever end stops takes the other with it.
                    tokio::select! {
                        () = pass(near_read, far_write, &passes) => {}
                        () = pass(far_read, near_write, &endless) => {}
                    }
                });
            }
        });
        Self { address, left, _serving: serving }
    }

    /// Cuts every connection once as many bytes have passed towards the server.
    pub(crate) fn cut_after(&self, bytes: i64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.left.store(ENDLESS, Ordering::SeqCst);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, left: &AtomicI64) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if left.load(Ordering::SeqCst) != ENDLESS
            && left.fetch_sub(i64::try_from(count).unwrap(), Ordering::SeqCst) < 0
        {
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    // The end of one direction is told; the other may still have something.
    to.shutdown().await.ok();
    std::future::pending::<()>().await;
}

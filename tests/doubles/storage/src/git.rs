//! A git server: the program that servers have, behind a small HTTP server.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncWriteExt as _, net::TcpListener, process::Command, task::JoinSet};

/// What goes wrong with the next request whose path ends so.
#[derive(Clone)]
pub enum Fault {
    /// It is answered so.
    Answer(u16, &'static str),
    /// The line breaks before the server has the request.
    Before,
    /// It is done, and the line breaks before the answer.
    After,
    /// Half of the answer comes.
    Half,
    /// Somebody does something just before.
    First(Arc<dyn Fn() + Send + Sync>),
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answer(..) => "Answer",
            Self::Before => "Before",
            Self::After => "After",
            Self::Half => "Half",
            Self::First(_) => "First",
        })
    }
}

type Faults = Arc<Mutex<Vec<(&'static str, Fault)>>>;

/// The server.
#[derive(Debug)]
pub struct GitServer {
    /// Where it listens.
    pub address: SocketAddr,
    faults: Faults,
    _serving: JoinSet<()>,
}

impl GitServer {
    /// Serves the repositories below a folder, to those who send this `Authorization`.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(root: PathBuf, authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let faults: Faults = Arc::default();
        let shared = Arc::clone(&faults);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (root, faults) = (root.clone(), Arc::clone(&shared));
                let service = service_fn(move |request| {
                    answer(root.clone(), Arc::clone(&faults), authorization, request)
                });
                connections.spawn(async move {
                    // A line that breaks is what some tests are about.
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Self { address, faults, _serving: serving }
    }

    /// The address of a repository, named from that folder on.
    #[must_use]
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// The next request whose path ends so goes wrong.
    pub fn fail(&self, path: &'static str, fault: Fault) {
        locked(&self.faults).push((path, fault));
    }
}

async fn answer(
    root: PathBuf,
    faults: Faults,
    authorization: Option<&'static str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let broken = || std::io::Error::other("the line breaks");
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| broken())?.to_bytes();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if authorization.is_some() && header("authorization") != authorization {
        return Ok(plain(401, "who are you?"));
    }
    let target = parts.uri.to_string();
    let fault = {
        let mut faults = locked(&faults);
        let place = faults.iter().position(|(path, _)| target.ends_with(path));
        place.map(|place| faults.remove(place).1)
    };
    match &fault {
        Some(Fault::Answer(status, text)) => return Ok(plain(*status, text)),
        Some(Fault::Before) => return Err(broken()),
        Some(Fault::First(deed)) => deed(),
        _ => {}
    }
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "backup")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let fed = tokio::spawn(async move {
        // The program may have heard enough before the end.
        stdin.write_all(&body).await.ok();
    });
    let said = child.wait_with_output().await?.stdout;
    fed.await.expect("writing does not panic");
    let end = said.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&said[..end]).into_owned();
    let mut answer = Bytes::from(said).slice(end + 4..);
    match fault {
        Some(Fault::After) => return Err(broken()),
        Some(Fault::Half) => answer = answer.slice(..answer.len() / 2),
        _ => {}
    }
    let mut response = Response::builder();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        response = match name {
            // With its reason behind it.
            "Status" => response.status(value.split(' ').next().unwrap_or_default()),
            _ => response.header(name, value),
        };
    }
    response.body(Full::new(answer)).map_err(std::io::Error::other)
}

fn plain(status: u16, text: &'static str) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).body(Full::new(Bytes::from_static(text.as_bytes())));
    response.expect("a status of HTTP")
}

fn locked(faults: &Faults) -> MutexGuard<'_, Vec<(&'static str, Fault)>> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

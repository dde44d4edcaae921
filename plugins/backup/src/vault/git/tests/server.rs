//! A git server: the program that servers have, behind a small HTTP server.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncWriteExt as _, net::TcpListener, process::Command, task::JoinSet};

/// What goes wrong with the next request whose path ends so.
#[derive(Clone)]
pub(super) enum Fault {
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

/// It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    faults: Arc<Mutex<Vec<(&'static str, Fault)>>>,
    _serving: JoinSet<()>,
}

impl Server {
    /// Serves the repositories below a folder, to those who send this `Authorization`.
    pub(super) async fn start(root: PathBuf, authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let faults: Arc<Mutex<Vec<(&'static str, Fault)>>> = Arc::default();
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

    pub(super) fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    pub(super) fn fail(&self, path: &'static str, fault: Fault) {
        self.faults.lock().unwrap().push((path, fault));
    }
}

async fn answer(
    root: PathBuf,
    faults: Arc<Mutex<Vec<(&'static str, Fault)>>>,
    authorization: Option<&'static str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let broken = || std::io::Error::other("the line breaks");
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| broken())?.to_bytes();
    let given = parts.headers.get("authorization").map(|value| value.to_str().unwrap());
    if authorization.is_some() && given != authorization {
        return Ok(plain(401, "who are you?"));
    }
    let target = parts.uri.to_string();
    let fault = {
        let mut faults = faults.lock().unwrap();
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
        .env("CONTENT_TYPE", parts.headers.get("content-type").map_or("", |value| value.to_str().unwrap()))
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().unwrap();
    let fed = tokio::spawn(async move {
        // The program may have heard enough before the end.
        stdin.write_all(&body).await.ok();
    });
    let said = child.wait_with_output().await?.stdout;
    fed.await.unwrap();
    let end = said.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&said[..end]).into_owned();
    let mut answer = Bytes::from(said).slice(end + 4..);
    match fault {
        Some(Fault::After) => return Err(broken()),
        Some(Fault::Half) => answer = answer.slice(..answer.len() / 2),
        _ => {}
    }
    let mut response = Response::builder();
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    Ok(response.body(Full::new(answer)).unwrap())
}

fn plain(status: u16, text: &'static str) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(Bytes::from_static(text.as_bytes()))).unwrap()
}

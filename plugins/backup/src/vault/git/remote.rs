//! A repository somewhere else: what it has, a fetch and a push, by git's smart protocol over HTTP.
//!
//! libgit2 speaks it too, but only through a transport that unsafe code registers for the whole process; and what is needed
//! of it is three requests.

use std::{io::Write as _, path::PathBuf, time::Duration};

use git2::Oid;
use postroom_sdk::{
    Bytes, Failure, Secret,
    http::{Reach, no_answer},
    tokio::{sync::mpsc, task::spawn_blocking},
};
use reqwest::{
    Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};

use super::{
    address::Address,
    repository::{self, failed},
    wire::{self, Advert, FLUSH, Garbled, PackAnswer},
};
use crate::storage::StorageError;

const AGENT: &str = concat!("agent=postroom/", env!("CARGO_PKG_VERSION"));
/// A list of all branches and tags, and what a server says of a push.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
const EXCERPT_BYTES_MAX: usize = 200;
const DEFAULT_PAUSE: Duration = Duration::from_secs(60);

/// One end of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Fetch,
    Push,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Fetch => "git-upload-pack",
            Self::Push => "git-receive-pack",
        }
    }
}

/// A change of one branch.
#[derive(Debug)]
pub(super) struct Push<'a> {
    pub(super) branch: &'a str,
    /// What the branch has until now.
    pub(super) from: Option<Oid>,
    pub(super) to: Oid,
    pub(super) pack: Vec<u8>,
}

/// A repository somewhere else. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    client: reqwest::Client,
    pub(super) address: Address,
    reach: Reach,
    authorization: Option<HeaderValue>,
    token: Option<Secret>,
}

impl Remote {
    pub(super) fn new(
        client: reqwest::Client,
        address: Address,
        username: &str,
        token: Option<Secret>,
    ) -> Result<Self, StorageError> {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let authorization = token.as_ref().map(|token| {
            let pair = BASE64_STANDARD.encode(format!("{username}:{}", token.expose().trim()));
            let mut value = HeaderValue::try_from(format!("Basic {pair}")).expect("base64 is ASCII");
            value.set_sensitive(true);
            value
        });
        Ok(Self { client, address, reach: Reach::Private, authorization, token })
    }

    /// What the repository has.
    pub(super) async fn advert(&self, service: Service) -> Result<Advert, StorageError> {
        let mut url = self.address.at("info/refs");
        url.set_query(Some(&format!("service={}", service.name())));
        let answer = self.send(self.client.get(url)).await?;
        let body = self.whole(answer).await?;
        Advert::parse(service.name(), &body).map_err(|error| self.garbled(&error))
    }

    /// Gets a commit and all that is in its history into a repository on disk.
    pub(super) async fn fetch(
        &self,
        advert: &Advert,
        want: Oid,
        have: &[Oid],
        folder: PathBuf,
    ) -> Result<(), StorageError> {
        let mut body = Vec::new();
        let offered = ["ofs-delta", "side-band-64k", "no-progress"];
        let taken: Vec<&str> = offered.into_iter().filter(|it| advert.has(it)).collect();
        wire::line(&mut body, &format!("want {want} {} {AGENT}\n", taken.join(" ")));
        body.extend_from_slice(FLUSH);
        // Without bands what follows the first answer to them could be taken for the pack.
        let most = if advert.has("side-band-64k") { have.len() } else { 1 };
        for have in have.iter().take(most) {
            wire::line(&mut body, &format!("have {have}\n"));
        }
        wire::line(&mut body, "done\n");
        let mut answer = self.post(Service::Fetch, body).await?;

        // Large repositories go to disk piece by piece.
        let (pieces, mut taken) = mpsc::channel::<Vec<u8>>(8);
        let writing = spawn_blocking(move || {
            let Some(repository) = repository::open(&folder)? else {
                return Err(StorageError::other("git", "the copy of the repository is gone"));
            };
            let odb = repository.odb().map_err(|error| failed("open the copy", &error))?;
            let mut writer = odb.packwriter().map_err(|error| failed("write to the copy", &error))?;
            // Only the end of the answer says that it was whole.
            let mut is_whole = false;
            while let Some(piece) = taken.blocking_recv() {
                is_whole = piece.is_empty();
                writer
                    .write_all(&piece)
                    .map_err(|error| StorageError::other("git", format!("the pack is damaged: {error}")))?;
            }
            if !is_whole {
                return Ok(());
            }
            writer.commit().map(drop).map_err(|error| failed("take the pack", &error))
        });
        let mut pack = PackAnswer::new(advert.has("side-band-64k"));
        let reading = async {
            while let Some(piece) = answer.chunk().await.map_err(lost)? {
                let piece = pack.feed(&piece).map_err(|error| self.garbled(&error))?;
                if !piece.is_empty() && pieces.send(piece).await.is_err() {
                    // The writer has failed, and says why.
                    return Ok(());
                }
            }
            if !pack.is_whole() {
                return Err(self.garbled(&Garbled::Short));
            }
            pieces.send(Vec::new()).await.ok();
            Ok(())
        };
        let read = reading.await;
        drop(pieces);
        let written =
            writing.await.unwrap_or_else(|_| Err(StorageError::other("interrupted", "interrupted")));
        read.and(written)
    }

    /// Moves a branch; gives why the server did not, if it said so. It never does when the branch has moved meanwhile.
    pub(super) async fn push(&self, advert: &Advert, push: Push<'_>) -> Result<Option<String>, StorageError> {
        let has_bands = advert.has("side-band-64k");
        let mut body = Vec::with_capacity(push.pack.len() + 512);
        let from = push.from.unwrap_or(Oid::ZERO_SHA1);
        let bands = if has_bands { " side-band-64k" } else { "" };
        let command = format!("{from} {} {}\0 report-status{bands} {AGENT}\n", push.to, push.branch);
        wire::line(&mut body, &command);
        body.extend_from_slice(FLUSH);
        body.extend_from_slice(&push.pack);
        let answer = self.post(Service::Push, body).await?;
        let report = self.whole(answer).await?;
        wire::push_report(&report, has_bands, push.branch).map_err(|error| self.garbled(&error))
    }

    async fn post(&self, service: Service, body: Vec<u8>) -> Result<Response, StorageError> {
        let kind = format!("application/x-{}-request", service.name());
        let request = self.client.post(self.address.at(service.name())).header(CONTENT_TYPE, kind);
        self.send(request.body(Bytes::from(body))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, StorageError> {
        let host = self.address.url().host_str().unwrap_or_default().trim_matches(['[', ']']).parse();
        if host.is_ok_and(|host| !self.reach.allows(host)) {
            return Err(StorageError::Misconfigured {
                setting: "git.url",
                why: "the address is one where clouds keep the credentials of their machines".to_owned(),
            });
        }
        let request = match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        };
        let answer = request.send().await.map_err(lost)?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refusal(answer).await) }
    }

    async fn whole(&self, mut answer: Response) -> Result<Vec<u8>, StorageError> {
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(lost)? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(StorageError::other("strange_answer", "the answer is larger than 64 MiB"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    async fn refusal(&self, mut answer: Response) -> StorageError {
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        // An answer that breaks off says as much as it has said.
        let body = answer.chunk().await.ok().flatten().unwrap_or_default();
        let mut why = self.excerpt(status, &body);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                StorageError::Denied { setting: "git.token", why }
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                let what = "the repository, or for whoever has this token there is none,";
                StorageError::NotFound { setting: "git.url", what: what.to_owned() }
            }
            StatusCode::TOO_MANY_REQUESTS => {
                StorageError::RateLimited { after: pause(&headers).unwrap_or(DEFAULT_PAUSE), why }
            }
            StatusCode::INSUFFICIENT_STORAGE | StatusCode::PAYLOAD_TOO_LARGE => StorageError::Full { why },
            status if status.is_redirection() => {
                let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("another address");
                why = format!("the repository has moved to {}", to.split('?').next().unwrap_or_default());
                StorageError::Misconfigured { setting: "git.url", why: why.replace("/info/refs", "") }
            }
            status if status.is_server_error() => StorageError::Busy { after: pause(&headers), why },
            _ => StorageError::other("refused", why),
        }
    }

    fn excerpt(&self, status: StatusCode, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let is_page = text.trim_start().starts_with('<');
        let text = self.hide(text.lines().next().unwrap_or_default());
        let text = text.trim();
        let text = &text[..text.floor_char_boundary(EXCERPT_BYTES_MAX)];
        if text.is_empty() || is_page {
            format!("HTTP {}", status.as_u16())
        } else {
            format!("HTTP {}: {text}", status.as_u16())
        }
    }

    fn hide(&self, text: &str) -> String {
        match &self.token {
            Some(token) if !token.expose().trim().is_empty() => text.replace(token.expose().trim(), "***"),
            _ => text.to_owned(),
        }
    }

    fn garbled(&self, error: &Garbled) -> StorageError {
        let why = self.hide(&error.to_string());
        match error {
            Garbled::NoLine | Garbled::OtherHashes => StorageError::Misconfigured { setting: "git.url", why },
            Garbled::Short => StorageError::Unreachable { code: "transport".to_owned(), why },
            Garbled::Refused(_) => StorageError::other("refused", why),
        }
    }
}

fn pause(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn lost(error: reqwest::Error) -> StorageError {
    let failure: Failure = no_answer(error);
    StorageError::no_answer(failure)
}

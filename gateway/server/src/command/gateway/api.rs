//! The API of a running gateway, one question at a time.

mod follow;

use std::time::Duration;

use postroom_core::secret::Secret;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{
    command::{Exit, Failure},
    commands::send::client,
};

pub(crate) use self::follow::Followed;

/// The largest answer is the output of an action.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
const ANSWER_MAX: Duration = Duration::from_secs(60);
const DOWNLOAD_MAX: Duration = Duration::from_secs(60 * 60);

/// The API of one gateway, with a key for it.
pub(crate) struct Api {
    url: Url,
    key: Secret,
    client: Client,
    runtime: Runtime,
}

/// What is asked.
#[derive(Debug, Default)]
pub(crate) struct Question<'a> {
    /// The path behind `/api/v1`, part by part.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Vec<(&'a str, String)>,
    pub(crate) body: Option<Value>,
    /// How long the gateway may take beyond the usual.
    pub(crate) more_time: Duration,
}

impl Api {
    pub(super) fn new(url: Url, key: Secret) -> Result<Self, Failure> {
        let client = client::client(url.as_str()).map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot set up the client: {error}"))
                .hint("https needs the system's certificates: install the package ca-certificates")
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::new(Exit::Failed, format!("cannot start: {error}")))?;
        Ok(Self { url, key, client, runtime })
    }

    /// Asks for what is at a path.
    pub(crate) fn get(&self, path: &[&str]) -> Result<Value, Failure> {
        self.ask(Method::GET, Question { path, ..Question::default() })
    }

    /// Asks for a part of what is at a path.
    pub(crate) fn get_with(&self, path: &[&str], query: Vec<(&str, String)>) -> Result<Value, Failure> {
        self.ask(Method::GET, Question { path, query, ..Question::default() })
    }

    /// Has something ended.
    pub(crate) fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.ask(Method::DELETE, Question { path, ..Question::default() })
    }

    /// Has something done.
    pub(crate) fn post(&self, question: Question<'_>) -> Result<Value, Failure> {
        self.ask(Method::POST, question)
    }

    fn ask(&self, method: Method, question: Question<'_>) -> Result<Value, Failure> {
        let (more_time, path) = (question.more_time, question.path);
        let (status, answer) = self
            .runtime
            .block_on(read(self.request(method, question).timeout(ANSWER_MAX + more_time)))
            .map_err(|error| self.unanswered(error))?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        match (status.is_success(), answer) {
            (true, Some(answer)) => Ok(answer),
            (_, answer) => Err(refused(status, &answer.unwrap_or_default(), path)),
        }
    }

    /// Passes on a file piece by piece, however long it is.
    pub(crate) fn download(
        &self,
        path: &[&str],
        query: Vec<(&str, String)>,
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let question = Question { path, query, ..Question::default() };
        // As long as pieces come, it may take its time.
        let request = self.request(Method::GET, question).timeout(DOWNLOAD_MAX);
        self.runtime.block_on(async {
            let mut response = request.send().await.map_err(|error| self.unanswered(error))?;
            let status = response.status();
            if !status.is_success() {
                let answer = rest(&mut response).await.map_err(|error| self.unanswered(error))?;
                return Err(refused(status, &serde_json::from_slice(&answer).unwrap_or_default(), path));
            }
            while let Some(piece) = response.chunk().await.map_err(|error| self.unanswered(error))? {
                take(&piece)?;
            }
            Ok(())
        })
    }

    fn unanswered(&self, error: reqwest::Error) -> Failure {
        let cause = client::cause(error);
        Failure::new(Exit::Unreachable, format!("no answer from the gateway at {}: {cause}", self.shown()))
            .hint("is it running? name another with --url")
    }

    fn request(&self, method: Method, question: Question<'_>) -> reqwest::RequestBuilder {
        let Question { path, query, body, more_time: _ } = question;
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // A name is one part of the path, whatever is in it.
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method, url).bearer_auth(self.key.expose());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request
    }

    /// The address without what may be secret in it.
    fn shown(&self) -> String {
        let url = &self.url;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
    let mut response = request.send().await?;
    let answer = rest(&mut response).await?;
    Ok((response.status(), answer))
}

async fn rest(response: &mut reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if answer.len() + chunk.len() > ANSWER_BYTES_MAX {
            break;
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// What a refusal means for whoever typed the command, which asked for what is at `path`.
fn refused(status: StatusCode, problem: &Value, path: &[&str]) -> Failure {
    let exit = match (status.as_u16(), problem["code"].as_str()) {
        (401 | 403, _) => Exit::Refused,
        (404, Some("not_found")) => Exit::NotFound,
        (
            400 | 413 | 422,
            Some("invalid_body" | "invalid_parameter" | "invalid_input" | "body_too_large"),
        ) => Exit::Usage,
        (_, Some("plugin_failed" | "action_timeout")) => Exit::PluginFailed,
        _ => Exit::Failed,
    };
    let detail = problem["detail"].as_str().map_or_else(
        || format!("{status} without a word of the gateway's: is this its address?"),
        str::to_owned,
    );
    let reasons = problem["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let said = reasons.fold(detail, |said, reason| format!("{said}; {reason}"));
    // Another server's words must not write escape sequences to the terminal.
    let failure = |said: String| Failure::new(exit, said.replace(char::is_control, " "));
    match (exit, path) {
        (Exit::Refused, _) => failure(said).hint("name a file with a key that allows it with --key-file"),
        (Exit::NotFound, [kind, _, ..]) => {
            let failure = failure(format!("{said}: {}", path.join("/")));
            match list_of(kind) {
                Some(list) => failure.hint(format!("`{list}` names those that are there")),
                None => failure,
            }
        }
        (_, ["keys"]) if status == StatusCode::CONFLICT => {
            failure(said).hint("`postroom keys list` names the keys, `postroom keys revoke` ends one")
        }
        _ => failure(said),
    }
}

/// The command that lists what is at a path.
fn list_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "events" => "postroom events list",
        "deliveries" => "postroom deliveries list",
        "replays" => "postroom replay list",
        "incidents" => "postroom incidents list",
        "monitors" => "postroom monitors list",
        "destinations" => "postroom destinations",
        "sources" => "postroom sources",
        "keys" => "postroom keys list",
        _ => return None,
    })
}

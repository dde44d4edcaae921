//! The calls of Postman's API that a restore needs, and what their answers mean.

use postroom_sdk::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::{
    Session, body,
    error::{Error, Said},
    exchange::{Answer, Ask, Exchange, Sent},
    tail,
};

/// Collections in one answer of a list.
const PAGE: usize = 100;
/// Answers of a list that are read.
const PAGES_MAX: usize = 100;
/// Most of what Postman says about an error that is told.
const SAID_CHARS_MAX: usize = 300;
const COLLECTIONS: &str = "/collections";

/// Postman's API.
#[derive(Debug)]
pub(super) struct Api(Exchange);

/// What came of replacing a collection.
pub(super) enum Replaced {
    Done,
    /// Postman does it in the background.
    Task(String),
    TaskUnknown,
}

/// How far a task is.
pub(super) enum TaskState {
    Running,
    Done,
    Failed(Said),
}

impl Api {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self(exchange)
    }

    /// The ids of the collections that have exactly this name.
    pub(super) async fn named(
        &self,
        session: &Session,
        name: &str,
        workspace: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let mut query = vec![("name", name.to_owned())];
        query.extend(workspace.map(|workspace| ("workspace", workspace.to_owned())));
        let collections = self.list(session, query).await?;
        // Should the filter not be what it is today, it is filtered here.
        let named = collections.iter().filter(|collection| collection["name"] == name);
        Ok(named.filter_map(|collection| Some(collection["uid"].as_str()?.to_owned())).collect())
    }

    /// The collection with this id, with its owner before it.
    pub(super) async fn find(&self, session: &Session, id: &str) -> Result<Option<String>, Error> {
        for page in 0..PAGES_MAX {
            let query = vec![("limit", PAGE.to_string()), ("offset", (page * PAGE).to_string())];
            let collections = self.list(session, query).await?;
            let uids = collections.iter().filter_map(|collection| collection["uid"].as_str());
            if let Some(uid) = uids.into_iter().find(|uid| tail(uid).eq_ignore_ascii_case(id)) {
                return Ok(Some(uid.to_owned()));
            }
            if collections.len() < PAGE {
                break;
            }
        }
        Ok(None)
    }

    async fn list(&self, session: &Session, query: Vec<(&'static str, String)>) -> Result<Vec<Value>, Error> {
        let answer = self.ask(session, &ask(Method::GET, COLLECTIONS.to_owned(), query)).await?;
        if answer.status != 200 {
            return Err(refused(session, &answer, "list collections"));
        }
        match json(&answer).as_mut().and_then(|answer| answer.get_mut("collections")).map(Value::take) {
            Some(Value::Array(collections)) => Ok(collections),
            _ => Err(Error::NotPostman { status: answer.status }),
        }
    }

    /// A collection, in the object that Postman wraps it in.
    pub(super) async fn get(&self, session: &Session, uid: &str) -> Result<Bytes, Error> {
        let answer = self.ask(session, &ask(Method::GET, format!("{COLLECTIONS}/{uid}"), Vec::new())).await?;
        match answer.status {
            200 if body::is_collection(&answer.body) => Ok(answer.body),
            200 => Err(Error::NotPostman { status: 200 }),
            404 if is_own_error(&answer) => Err(Error::NotThere { uid: uid.to_owned() }),
            _ => Err(refused(session, &answer, "read the collection")),
        }
    }

    /// Makes a collection and gives its id, if Postman tells it.
    pub(super) async fn create(
        &self,
        session: &Session,
        body: Bytes,
        workspace: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let query = workspace.map(|workspace| ("workspace", workspace.to_owned())).into_iter().collect();
        let ask = Ask { body: Some(body), ..ask(Method::POST, COLLECTIONS.to_owned(), query) };
        let answer = match self.0.send(session, &ask).await? {
            Sent::Answer(answer) => answer,
            Sent::Unclear(why) => return Err(Error::MayBeThere { name: String::new(), why }),
        };
        match (answer.status, workspace) {
            (200..=299, _) => {
                Ok(json(&answer).and_then(|it| Some(it["collection"]["uid"].as_str()?.to_owned())))
            }
            (404, Some(workspace)) if is_own_error(&answer) => {
                Err(Error::NoWorkspace { workspace: workspace.to_owned() })
            }
            (413, _) => Err(Error::TooLarge { bytes: sent_bytes(&ask) }),
            _ => Err(refused(session, &answer, "make collections in this workspace")),
        }
    }

    /// Replaces a collection, in the background if Postman wants.
    pub(super) async fn replace(&self, session: &Session, uid: &str, body: Bytes) -> Result<Replaced, Error> {
        let ask = Ask {
            body: Some(body),
            prefer: Some("respond-async"),
            ..ask(Method::PUT, format!("{COLLECTIONS}/{uid}"), Vec::new())
        };
        let answer = self.ask(session, &ask).await?;
        match answer.status {
            202 => Ok(task_id(&answer).map_or(Replaced::TaskUnknown, Replaced::Task)),
            200..=299 => Ok(Replaced::Done),
            404 if is_own_error(&answer) => Err(Error::NotThere { uid: uid.to_owned() }),
            413 => Err(Error::TooLarge { bytes: sent_bytes(&ask) }),
            _ => Err(refused(session, &answer, "replace the collection")),
        }
    }

    pub(super) async fn task(&self, session: &Session, task: &str) -> Result<TaskState, Error> {
        let path = format!("/collection-updates-tasks/{task}");
        let answer = self.ask(session, &ask(Method::GET, path, Vec::new())).await?;
        if answer.status != 200 {
            return Err(refused(session, &answer, "see its tasks"));
        }
        let state = json(&answer).unwrap_or_default();
        let state = state.get("task").unwrap_or(&state);
        Ok(match state["status"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
            "successful" | "success" | "succeeded" | "completed" => TaskState::Done,
            "failed" | "failure" | "error" => TaskState::Failed(said(session, &answer)),
            _ => TaskState::Running,
        })
    }

    /// Asks what can be asked again.
    async fn ask(&self, session: &Session, ask: &Ask) -> Result<Answer, Error> {
        match self.0.send(session, ask).await? {
            Sent::Answer(answer) => Ok(answer),
            Sent::Unclear(why) => Err(Error::Unavailable { why }),
        }
    }
}

fn ask(method: Method, path: String, query: Vec<(&'static str, String)>) -> Ask {
    Ask { method, path, query, body: None, prefer: None }
}

fn sent_bytes(ask: &Ask) -> usize {
    ask.body.as_ref().map_or(0, Bytes::len)
}

fn task_id(answer: &Answer) -> Option<String> {
    let body = json(answer)?;
    let id = [&body["id"], &body["taskId"], &body["task"]["id"]].into_iter().find_map(Value::as_str)?;
    super::is_plain_id(id).then(|| id.to_owned())
}

/// What an answer means that is a refusal; `doing` is what it refuses.
fn refused(session: &Session, answer: &Answer, doing: &'static str) -> Error {
    match answer.status {
        401 => Error::Key,
        403 => Error::Forbidden { doing, said: said(session, answer) },
        status @ (300..=399 | 404 | 405 | 410) if !is_own_error(answer) => Error::NotPostman { status },
        // A page where an answer of the API should be.
        status @ 200..=299 => Error::NotPostman { status },
        status => Error::Refused { status, said: said(session, answer) },
    }
}

fn json(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

/// Whether an error has the form that Postman's have, and not that of something on the way.
fn is_own_error(answer: &Answer) -> bool {
    json(answer).is_some_and(|body| body["error"].is_object() || body["title"].is_string())
}

/// What Postman says about an error, without the key and cut.
fn said(session: &Session, answer: &Answer) -> Said {
    let Some(body) = json(answer) else { return Said::default() };
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
    let texts = ["message", "title", "detail", "reason"].into_iter().filter_map(|key| error[key].as_str());
    let details = error["details"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let text = texts.chain(details).collect::<Vec<_>>().join("; ");
    let text = match session.key.expose().trim() {
        "" => text,
        key => text.replace(key, "***"),
    };
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    Said(match line.char_indices().nth(SAID_CHARS_MAX) {
        _ if line.is_empty() => None,
        Some((end, _)) => Some(format!("{}…", &line[..end])),
        None => Some(line),
    })
}

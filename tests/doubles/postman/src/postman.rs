//! The rules of the calls.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use super::shape;

/// A request. Names of headers are in lower case.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What comes back, if anything does.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// This is answered, and nothing done.
    Instead(u16, Vec<(&'static str, &'static str)>, Value),
    /// It is done, and this status comes back without a word.
    Done(u16),
    /// The connection breaks before anything is done.
    Break,
    /// It is done, and then the connection breaks.
    DoneAndBreak,
}

/// How the API behaves beyond its rules.
#[derive(Debug, Clone)]
pub struct Habits {
    pub key: String,
    /// The user that the key is of.
    pub owner: String,
    pub workspaces: Vec<String>,
    pub bytes_max: usize,
    pub requests_a_minute: u32,
    /// How often a task is asked about before it is done.
    pub polls: u32,
    /// What a task comes to.
    pub task_ends: &'static str,
    /// Whether `Prefer: respond-async` is honoured.
    pub is_async: bool,
}

/// The API, with what is there.
#[derive(Debug)]
pub struct Postman {
    habits: Habits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    collections: BTreeMap<String, Kept>,
    tasks: HashMap<String, Task>,
    made: u32,
    window: Option<(Duration, u32)>,
    troubles: VecDeque<(String, Trouble)>,
    requests: Vec<Request>,
}

#[derive(Debug, Clone)]
struct Kept {
    workspace: String,
    collection: Value,
    /// All that ever were ids in it.
    ids: HashSet<String>,
}

#[derive(Debug)]
struct Task {
    polls: u32,
    uid: String,
    collection: Value,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            key: "PMAK-000000000000000000000000-key".to_owned(),
            owner: "12345".to_owned(),
            workspaces: vec!["own".to_owned(), "team".to_owned()],
            bytes_max: 100 * 1000 * 1000,
            requests_a_minute: 300,
            polls: 3,
            task_ends: "successful",
            is_async: true,
        }
    }
}

impl Postman {
    /// One without a collection.
    #[must_use]
    pub fn new(habits: Habits) -> Self {
        Self { habits, state: Mutex::default() }
    }

    /// Puts a collection of v2.1 there, with the ids that it has and a UUID for its own.
    pub fn put(&self, id: &str, workspace: &str, collection: &Value) -> String {
        let uid = format!("{}-{id}", self.habits.owner);
        let mut collection = collection.clone();
        collection["info"]["_postman_id"] = json!(id);
        let ids = shape::ids(&collection).into_iter().collect();
        self.state()
            .collections
            .insert(uid.clone(), Kept { workspace: workspace.to_owned(), collection, ids });
        uid
    }

    /// What is there, by uid.
    #[must_use]
    pub fn collection(&self, uid: &str) -> Option<Value> {
        Some(self.state().collections.get(uid)?.collection.clone())
    }

    /// The uids of the collections in a workspace.
    #[must_use]
    pub fn in_workspace(&self, workspace: &str) -> Vec<String> {
        let state = self.state();
        let of = state.collections.iter().filter(|(_, kept)| kept.workspace == workspace);
        of.map(|(uid, _)| uid.clone()).collect()
    }

    /// The next request like `POST /collections` has this trouble.
    pub fn trouble(&self, request: &str, trouble: Trouble) {
        self.state().troubles.push_back((request.to_owned(), trouble));
    }

    /// Every request so far, as `POST /collections`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.state().requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// The same, whole.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// Answers; `None` when the connection breaks.
    #[must_use]
    pub fn answer(&self, request: &Request, now: Duration) -> Option<Reply> {
        let mut state = self.state();
        state.requests.push(request.clone());
        let line = format!("{} {}", request.method, request.path);
        let at = state.troubles.iter().position(|(wanted, _)| line.starts_with(wanted));
        let trouble = at.and_then(|at| state.troubles.remove(at)).map(|(_, trouble)| trouble);
        match trouble {
            None => Some(self.limited(&mut state, request, now)),
            Some(Trouble::Instead(status, headers, body)) => {
                let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                Some(Reply { status, headers: headers.collect(), body: body.to_string().into() })
            }
            Some(Trouble::Break) => None,
            Some(Trouble::Done(status)) => {
                self.limited(&mut state, request, now);
                Some(Reply { status, headers: Vec::new(), body: Vec::new() })
            }
            Some(Trouble::DoneAndBreak) => {
                self.limited(&mut state, request, now);
                None
            }
        }
    }

    fn limited(&self, state: &mut State, request: &Request, now: Duration) -> Reply {
        const WINDOW: Duration = Duration::from_secs(60);
        let (begun, used) = match state.window {
            Some((begun, used)) if now < begun + WINDOW => (begun, used),
            _ => (now, 0),
        };
        let limit = self.habits.requests_a_minute;
        let reset = (begun + WINDOW).saturating_sub(now).as_secs().max(1);
        let mut reply = if used >= limit {
            let mut reply = error(429, "rateLimited", "Rate limit exceeded. Please retry later", &[]);
            for name in ["X-RateLimit-RetryAfter", "RetryAfter"] {
                reply.headers.push((name.to_owned(), reset.to_string()));
            }
            reply
        } else {
            state.window = Some((begun, used + 1));
            self.rules(state, request)
        };
        let remaining = limit.saturating_sub(used + 1);
        let all = format!("limit={limit}, remaining={remaining}, reset={reset}");
        reply.headers.push(("RateLimit".to_owned(), all));
        reply.headers.push(("RateLimit-Policy".to_owned(), format!("{limit};w=60")));
        reply
    }

    fn rules(&self, state: &mut State, request: &Request) -> Reply {
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        if header("x-api-key") != Some(self.habits.key.as_str()) {
            let why = "Invalid API Key. Every request requires a valid API Key to be sent.";
            return error(401, "AuthenticationError", why, &[]);
        }
        let knows = |name: &str| {
            matches!(
                name,
                "x-api-key" | "accept" | "content-type" | "content-length" | "prefer" | "user-agent" | "host"
            )
        };
        if let Some(name) = request.headers.keys().find(|name| !knows(name)) {
            return error(
                400,
                "malformedRequestError",
                &format!("the header {name} is not of this API"),
                &[],
            );
        }
        if header("accept") != Some("application/json") {
            return error(406, "notAcceptable", "This API answers in JSON", &[]);
        }
        let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let allowed: &[&str] = match (request.method.as_str(), &path[..]) {
            ("GET", ["collections"]) => &["workspace", "name", "limit", "offset"],
            ("POST", ["collections"]) => &["workspace"],
            _ => &[],
        };
        if let Some(name) = request.query.keys().find(|name| !allowed.contains(&name.as_str())) {
            return error(400, "invalidParamsError", &format!("{name} is no parameter of this call"), &[]);
        }
        let is_put = request.method == "PUT";
        if header("prefer").is_some() && !(is_put && header("prefer") == Some("respond-async")) {
            return error(400, "malformedRequestError", "Prefer is for async updates", &[]);
        }
        match (request.method.as_str(), &path[..]) {
            ("GET", _) if !request.body.is_empty() || header("content-type").is_some() => {
                error(400, "malformedRequestError", "a GET has no body", &[])
            }
            ("GET", ["collections"]) => list(state, &request.query),
            ("GET", ["collections", uid]) => match state.collections.get(*uid) {
                Some(kept) => reply(200, &json!({ "collection": self.shown(uid, &kept.collection) })),
                None => not_found("collection", uid),
            },
            ("GET", ["collection-updates-tasks", task]) => self.task(state, task),
            ("POST", ["collections"]) => match self.body(request) {
                Ok(collection) => self.make(state, request, collection),
                Err(refusal) => refusal,
            },
            ("PUT", ["collections", uid]) => match self.body(request) {
                Ok(collection) => self.replace(state, uid, header("prefer").is_some(), collection),
                Err(refusal) => refusal,
            },
            _ => error(404, "notFound", "Requested resource not found", &[]),
        }
    }

    /// The collection in the body of a request.
    fn body(&self, request: &Request) -> Result<Value, Reply> {
        let malformed = |details: &[String]| {
            let message = format!("Found {} errors with the supplied collection.", details.len());
            error(400, "malformedRequestError", &message, details)
        };
        if request.body.len() > self.habits.bytes_max {
            return Err(error(413, "requestEntityTooLargeError", "Request body too large", &[]));
        }
        if request.headers.get("content-type").map(String::as_str) != Some("application/json") {
            return Err(error(415, "unsupportedMediaType", "The body must be application/json", &[]));
        }
        let Ok(Value::Object(mut body)) = serde_json::from_slice(&request.body) else {
            return Err(malformed(&["the body is no JSON object".to_owned()]));
        };
        let collection = body.remove("collection").unwrap_or_default();
        let mut faults = shape::faults(&collection);
        faults.extend(body.keys().map(|key| format!("/{key}: must NOT have additional properties")));
        if faults.is_empty() { Ok(collection) } else { Err(malformed(&faults)) }
    }

    fn make(&self, state: &mut State, request: &Request, mut collection: Value) -> Reply {
        let workspace = request.query.get("workspace").unwrap_or(&self.habits.workspaces[0]);
        if !self.habits.workspaces.contains(workspace) {
            return not_found("workspace", workspace);
        }
        let ids = shape::ids(&collection);
        if !ids.is_empty() {
            let details: Vec<_> = ids.iter().take(10).map(|id| format!("{id}: must not be set")).collect();
            return error(
                400,
                "malformedRequestError",
                "The collection has the IDs of another one",
                &details,
            );
        }
        state.made += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", state.made);
        let uid = format!("{}-{id}", self.habits.owner);
        let name = collection["info"]["name"].clone();
        collection["info"]["_postman_id"] = json!(id);
        let ids = HashSet::from([id.clone()]);
        state.collections.insert(uid.clone(), Kept { workspace: workspace.clone(), collection, ids });
        reply(200, &json!({ "collection": { "id": id, "name": name, "uid": uid } }))
    }

    fn replace(&self, state: &mut State, uid: &str, wants_async: bool, collection: Value) -> Reply {
        let is_uid = |(owner, id): (&str, &str)| owner.bytes().all(|b| b.is_ascii_digit()) && id.len() == 36;
        if !uid.split_once('-').is_some_and(is_uid) {
            return error(
                400,
                "invalidParamsError",
                "The collection ID must be in the form <OWNER_ID>-<UUID>",
                &[],
            );
        }
        let Some(kept) = state.collections.get_mut(uid) else { return not_found("collection", uid) };
        let foreign = shape::ids(&collection).into_iter().filter(|id| !kept.ids.contains(id) && id != uid);
        let details: Vec<String> =
            foreign.take(10).map(|id| format!("{id}: is not of this collection")).collect();
        if !details.is_empty() {
            return error(
                400,
                "malformedRequestError",
                "The collection has the IDs of another one",
                &details,
            );
        }
        if wants_async && self.habits.is_async {
            let task = format!("10000000-0000-4000-8000-{:012}", state.tasks.len());
            let (polls, uid) = (self.habits.polls, uid.to_owned());
            state.tasks.insert(task.clone(), Task { polls, uid, collection });
            return reply(202, &json!({ "id": task, "status": "in-progress" }));
        }
        let id = kept.collection["info"]["_postman_id"].clone();
        let name = collection["info"]["name"].clone();
        kept.collection = collection;
        kept.collection["info"]["_postman_id"] = id.clone();
        reply(200, &json!({ "collection": { "id": id, "name": name, "uid": uid } }))
    }

    fn task(&self, state: &mut State, id: &str) -> Reply {
        let Some(task) = state.tasks.get_mut(id) else { return not_found("task", id) };
        if task.polls > 0 {
            task.polls -= 1;
            return reply(200, &json!({ "id": id, "status": "in-progress" }));
        }
        if self.habits.task_ends == "successful"
            && let Some(kept) = state.collections.get_mut(&task.uid)
        {
            let own = kept.collection["info"]["_postman_id"].clone();
            kept.collection = task.collection.clone();
            kept.collection["info"]["_postman_id"] = own;
        }
        reply(200, &json!({ "id": id, "status": self.habits.task_ends }))
    }

    /// A collection as `GET` shows it.
    fn shown(&self, uid: &str, collection: &Value) -> Value {
        let mut collection = collection.clone();
        for (key, value) in [
            ("uid", uid),
            ("createdAt", "2026-01-01T00:00:00.000Z"),
            ("updatedAt", "2026-01-02T00:00:00.000Z"),
            ("lastUpdatedBy", self.habits.owner.as_str()),
        ] {
            collection["info"][key] = json!(value);
        }
        collection
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn list(state: &State, query: &BTreeMap<String, String>) -> Reply {
    let number = |key: &str| query.get(key).map(|value| value.parse::<usize>());
    let (name, limit, offset) = (query.get("name"), number("limit"), number("offset"));
    if name.is_some() && (limit.is_some() || offset.is_some()) {
        return error(400, "invalidParamsError", "name cannot be combined with limit and offset", &[]);
    }
    let (Ok(limit), Ok(offset)) = (limit.unwrap_or(Ok(usize::MAX)), offset.unwrap_or(Ok(0))) else {
        return error(400, "invalidParamsError", "limit and offset are numbers", &[]);
    };
    let listed = state.collections.iter().filter(|(_, kept)| {
        query.get("workspace").is_none_or(|workspace| kept.workspace == *workspace)
            && name.is_none_or(|name| kept.collection["info"]["name"] == *name)
    });
    let listed: Vec<Value> = listed
        .skip(offset)
        .take(limit)
        .map(|(uid, kept)| {
            let (owner, id) = uid.split_once('-').unwrap_or_default();
            json!({ "id": id, "uid": uid, "owner": owner, "name": kept.collection["info"]["name"] })
        })
        .collect();
    reply(200, &json!({ "collections": listed }))
}

fn reply(status: u16, body: &Value) -> Reply {
    let headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
    Reply { status, headers, body: body.to_string().into() }
}

fn error(status: u16, name: &str, message: &str, details: &[String]) -> Reply {
    let mut error = json!({ "name": name, "message": message });
    if !details.is_empty() {
        error["details"] = json!(details);
    }
    reply(status, &json!({ "error": error }))
}

fn not_found(what: &str, id: &str) -> Reply {
    let message = format!("The specified item does not exist: {what} {id}");
    error(404, "instanceNotFoundError", &message, &[])
}

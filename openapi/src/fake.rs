//! A gateway in memory, for the tests of everything above the port.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use poem::{
    Endpoint, Response,
    http::header,
    test::{TestClient, TestResponse},
};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

mod access;
mod configured;
mod follow;
mod monitors;
mod plugins;
mod samples;
mod setup;
mod stream;
mod upload;

use crate::{
    actions::Action,
    audit::NewAuditEntry,
    auth::{Caller, Credential},
    deliveries::{Delivery, DeliveryFilter},
    destinations::Destination,
    events::{Event, EventBody, EventFilter, Kind},
    hooks::Accepted,
    page::{Page, PageRequest},
    plugins::PluginList,
    port::{
        ActionError, Admission, Gateway, Hook, HookBody, HookRefusal, NewRun, ReadError, Readiness,
        RequestSeen, RunError,
    },
    reload::{Configuration, Reload},
    replays::Replay,
};

pub(crate) use access::{BUSY_KEY, FRESH_KEY, GUESSED_KEY, SESSION};
pub(crate) use monitors::BREAKS_OFF;
pub(crate) use samples::event;
use samples::{delivery, destination, replay};
pub(crate) use stream::Script;
pub(crate) use upload::FakeUpload;

pub(crate) const SOURCE: &str = "acme";
pub(crate) const TOKEN: &str = "token-of-acme";
/// The key of somebody who may only read.
pub(crate) const API_KEY: &str = "key-of-me";
/// The key of somebody who may act.
pub(crate) const OPERATOR_KEY: &str = "key-of-an-operator";

/// The key of somebody who may do everything.
pub(crate) const ADMIN_KEY: &str = "key-of-an-admin";

/// An event id that makes the gateway panic.
pub(crate) const PANIC: &str = "panic";
/// An event id at which the store is away.
pub(crate) const AWAY: &str = "away";

/// The largest body of the fake's source, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 128 * 1024;
/// What all bodies of the fake may take together, in bytes.
pub(crate) const BODIES_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;
/// How long a body of the fake's source may take.
pub(crate) const BODY_READ_MAX: Duration = Duration::from_secs(5);
/// How many labels a request to the fake's source may add.
pub(crate) const LABELS_MAX: usize = 3;
/// The longest name or value of one, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 20;
/// The longest idempotency key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 30;
/// Pieces of a body that is [uploaded](Fake::uploading), in bytes.
pub(crate) const PIECE_BYTES: usize = 1024;

/// A hook as it was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) body: Bytes,
    /// How long each piece was, when it came in pieces.
    pub(crate) pieces: Vec<usize>,
    pub(crate) content_type: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) note: Option<String>,
}

/// Takes one token and one key, has `count` events, and remembers what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<State>);

#[derive(Default)]
struct State {
    count: usize,
    refusal: Option<HookRefusal>,
    not_ready: Vec<String>,
    config_faults: Vec<String>,
    /// Present in a gateway that stores only when the test says so: one permit for each body.
    storing: Option<Semaphore>,
    /// Whether bodies above [`PIECE_BYTES`] are uploaded; otherwise all are whole.
    uploading: bool,
    /// Refused are pieces from this one on.
    pieces_max: Option<usize>,
    /// How long each piece takes.
    piece_takes: Duration,
    /// Uploads that were begun and neither accepted nor dropped.
    uploads: Arc<AtomicUsize>,
    hooks: Mutex<Vec<Seen>>,
    seen: Mutex<Vec<RequestSeen>>,
    filters: Mutex<Vec<String>>,
    refused: Mutex<Vec<String>>,
    audit: Mutex<Vec<NewAuditEntry>>,
    /// What readers are given, and what then.
    told: Mutex<Script>,
    revoked: Mutex<Vec<String>>,
}

impl Fake {
    /// Uploads of which something is on the disk and no event names it.
    pub(crate) fn open_uploads(&self) -> usize {
        self.0.uploads.load(Ordering::Relaxed)
    }

    pub(crate) fn store_one(&self) {
        self.0.storing.as_ref().expect("a slow gateway").add_permits(1);
    }

    pub(crate) fn client(&self) -> TestClient<impl Endpoint<Output = Response> + use<>> {
        TestClient::new(crate::endpoint(self.clone(), BODIES_BYTES_MAX))
    }

    /// Asks with the API key.
    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        self.client().get(path).header(header::AUTHORIZATION, format!("Bearer {API_KEY}")).send().await
    }

    /// Asks with the API key, and reads a good answer.
    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        response.assert_status_is_ok();
        serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
    }

    /// Follows `next_cursor` to the end and gives the ids on each page.
    pub(crate) async fn walk(&self, list: &str, limit: usize) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut path = format!("{list}?limit={limit}");
        loop {
            let page = self.get_json(&path).await;
            let items = page["items"].as_array().unwrap();
            pages.push(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect());
            match page.get("next_cursor") {
                Some(cursor) => path = format!("{list}?limit={limit}&cursor={}", cursor.as_str().unwrap()),
                None => return pages,
            }
        }
    }

    /// Posts to an operation with this key; an empty body is none at all.
    pub(crate) async fn post(&self, key: &str, path: &str, body: &'static str) -> TestResponse {
        let client = self.client();
        let request = client.post(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
        if body.is_empty() {
            return request.send().await;
        }
        request.content_type("application/json").body(body).send().await
    }

    /// What was accepted so far.
    pub(crate) fn hooks(&self) -> Vec<Seen> {
        self.0.hooks.lock().unwrap().clone()
    }

    /// What was observed so far, without durations.
    pub(crate) fn seen(&self) -> Vec<(&'static str, u16)> {
        self.0.seen.lock().unwrap().iter().map(|seen| (seen.operation, seen.status)).collect()
    }

    /// Why bodies were not taken, so far.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.0.refused.lock().unwrap().clone()
    }

    fn remember(&self, asked: String) {
        self.0.filters.lock().unwrap().push(asked);
    }

    /// The filters, pages and actions that were asked for, as `Debug` shows them.
    pub(crate) fn filters(&self) -> Vec<String> {
        self.0.filters.lock().unwrap().clone()
    }

    /// Pages over `count` things numbered from the newest, which has the highest number.
    fn page<T>(&self, page: &PageRequest, make: impl Fn(usize) -> T) -> Result<Page<T>, ReadError> {
        let before = match &page.after {
            None => self.0.count + 1,
            Some(after) => after.parse().map_err(|_| ReadError::BadParameter {
                name: "cursor",
                reason: "not a cursor of this list".to_owned(),
            })?,
        };
        let numbers: Vec<usize> = (1..before).rev().take(page.limit as usize).collect();
        let next = numbers.last().filter(|last| **last > 1).map(usize::to_string);
        Ok(Page { items: numbers.into_iter().map(make).collect(), next })
    }
}

impl Gateway for Fake {
    type Source = ();
    type Upload = FakeUpload;

    async fn admit(
        &self,
        source: &str,
        token: Option<&Credential>,
        _: Option<IpAddr>,
    ) -> Result<Admission<()>, HookRefusal> {
        if source != SOURCE || token.map(Credential::expose) != Some(TOKEN) {
            return Err(HookRefusal::Unauthorized);
        }
        Ok(Admission {
            source: (),
            body_bytes_max: BODY_BYTES_MAX,
            body_in_memory_bytes_max: if self.0.uploading { PIECE_BYTES } else { BODY_BYTES_MAX },
            body_read_max: BODY_READ_MAX,
            labels_max: LABELS_MAX,
            label_bytes_max: LABEL_BYTES_MAX,
            idempotency_key_bytes_max: KEY_BYTES_MAX,
        })
    }

    fn refused(&self, (): &(), reason: &str) {
        self.0.refused.lock().unwrap().push(reason.to_owned());
    }

    async fn begin_upload(&self) -> Result<FakeUpload, HookRefusal> {
        Ok(FakeUpload::begin(&self.0.uploads, self.0.pieces_max, self.0.piece_takes))
    }

    async fn accept(&self, (): (), hook: Hook<FakeUpload>) -> Result<Accepted, HookRefusal> {
        if let Some(refusal) = &self.0.refusal {
            return Err(refusal.clone());
        }
        if let Some(storing) = &self.0.storing {
            storing.acquire().await.unwrap().forget();
        }
        let Hook { body, content_type, labels, idempotency_key, note } = hook;
        let (body, pieces) = match body {
            HookBody::Whole(bytes) => (bytes, Vec::new()),
            HookBody::Uploaded(upload) => (upload.bytes(), upload.pieces()),
        };
        let mut hooks = self.0.hooks.lock().unwrap();
        let repeated =
            hooks.iter().any(|seen| idempotency_key.is_some() && seen.idempotency_key == idempotency_key);
        hooks.push(Seen { body, pieces, content_type, labels, idempotency_key, note });
        Ok(Accepted { event_id: event(1).id, kind: Kind::MonitorRun, deliveries: 2, repeated })
    }

    async fn events(&self, filter: EventFilter, page: PageRequest) -> Result<Page<Event>, ReadError> {
        self.remember(format!("{filter:?} {page:?}"));
        self.page(&page, |number| Event { deliveries: None, routes: None, ..event(number) })
    }

    async fn event(&self, id: &str) -> Result<Option<Event>, ReadError> {
        match id {
            PANIC => panic!("asked to"),
            AWAY => Err(ReadError::Unavailable { reason: "the disk is gone".to_owned() }),
            _ => Ok((1..=self.0.count).map(event).find(|event| event.id == id)),
        }
    }

    async fn event_body(&self, id: &str) -> Result<Option<EventBody>, ReadError> {
        let found = self.event(id).await?;
        Ok(found.map(|event| EventBody {
            content_type: event.content_type,
            body: "<script>".into(),
            bytes: event.body_bytes,
        }))
    }

    async fn deliveries(
        &self,
        filter: DeliveryFilter,
        replay_id: Option<String>,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ReadError> {
        self.remember(format!("{filter:?} {replay_id:?} {page:?}"));
        self.page(&page, |number| Delivery { attempts: None, ..delivery(number) })
    }

    async fn delivery(&self, id: &str) -> Result<Option<Delivery>, ReadError> {
        Ok((1..=self.0.count).map(delivery).find(|delivery| delivery.id == id))
    }

    async fn retry_delivery(&self, id: &str, by: &Caller) -> Result<Option<Delivery>, ActionError> {
        self.remember(format!("retry {id} by {}", by.name));
        Ok(self.delivery(id).await.unwrap().map(|first| Delivery {
            id: format!("{id}0"),
            replay_of: Some(first.id),
            ..delivery(1)
        }))
    }

    async fn cancel_delivery(&self, id: &str, by: &Caller) -> Result<Option<Delivery>, ActionError> {
        self.remember(format!("cancel {id} by {}", by.name));
        if id == "2" {
            return Err(ActionError::Conflict { reason: "the delivery is delivered already".to_owned() });
        }
        Ok(self.delivery(id).await.unwrap())
    }

    async fn count_replay(&self, filter: DeliveryFilter) -> Result<u64, ActionError> {
        self.remember(format!("count {filter:?}"));
        Ok(7)
    }

    async fn begin_replay(
        &self,
        filter: DeliveryFilter,
        per_second: Option<u32>,
        by: &Caller,
    ) -> Result<Replay, ActionError> {
        self.remember(format!("replay {filter:?} {per_second:?} by {}", by.name));
        Ok(replay(1))
    }

    async fn replays(&self, page: PageRequest) -> Result<Page<Replay>, ReadError> {
        self.page(&page, |number| Replay { progress: None, ..replay(number) })
    }

    async fn replay(&self, id: &str) -> Result<Option<Replay>, ReadError> {
        Ok((1..=self.0.count).map(replay).find(|replay| replay.id == id))
    }

    async fn cancel_replay(&self, id: &str, by: &Caller) -> Result<Option<Replay>, ActionError> {
        self.remember(format!("cancel replay {id} by {}", by.name));
        Ok(self.replay(id).await.unwrap())
    }

    async fn destinations(&self) -> Result<Vec<Destination>, ReadError> {
        Ok(vec![destination()])
    }

    async fn destination(&self, name: &str) -> Result<Option<Destination>, ReadError> {
        Ok(Some(destination()).filter(|destination| destination.name == name))
    }

    async fn pause_destination(&self, name: &str, by: &Caller) -> Result<Option<Destination>, ActionError> {
        self.remember(format!("pause {name} by {}", by.name));
        by.note.before(json!({ "gate": "open" }));
        by.note.after(json!({ "gate": "held" }));
        Ok(self.destination(name).await.unwrap())
    }

    async fn resume_destination(&self, name: &str, by: &Caller) -> Result<Option<Destination>, ActionError> {
        self.remember(format!("resume {name} by {}", by.name));
        Err(ActionError::Unavailable { reason: "the disk is full".to_owned() })
    }

    async fn actions(&self, destination: &str) -> Result<Option<Vec<Action>>, ReadError> {
        Ok(self.destination(destination).await?.map(|_| vec![plugins::action()]))
    }

    async fn run_action(
        &self,
        destination: &str,
        run: NewRun,
        by: &Caller,
    ) -> Result<Option<Map<String, Value>>, RunError> {
        let NewRun { action, input, time_limit } = run;
        self.remember(format!("run {destination}/{action} for {time_limit:?} by {}", by.name));
        let known = self.destination(destination).await.unwrap();
        known.map(|_| plugins::run(&action, input)).transpose()
    }

    async fn plugins(&self) -> Result<PluginList, ReadError> {
        Ok(plugins::plugins())
    }

    async fn reload_destination(&self, name: &str, by: &Caller) -> Result<Option<Destination>, ActionError> {
        self.remember(format!("reload {name} by {}", by.name));
        Ok(self.destination(name).await.unwrap())
    }

    async fn reload_configuration(&self, by: &Caller) -> Result<Reload, ActionError> {
        self.remember(format!("reload by {}", by.name));
        match &*self.0.config_faults {
            [] => Ok(samples::reload()),
            faults => Err(ActionError::Faulty { what: "not reloaded".to_owned(), reasons: faults.to_vec() }),
        }
    }

    fn configuration(&self) -> Configuration {
        Configuration { generation: 2, fingerprint: "0123456789abcdef".to_owned() }
    }

    async fn readiness(&self) -> Readiness {
        if self.0.not_ready.is_empty() {
            Readiness::Ready
        } else {
            Readiness::NotReady { reasons: self.0.not_ready.clone() }
        }
    }

    async fn metrics(&self) -> String {
        "postroom_events_total 1\n".to_owned()
    }

    fn observe(&self, seen: RequestSeen) {
        self.0.seen.lock().unwrap().push(seen);
    }
}

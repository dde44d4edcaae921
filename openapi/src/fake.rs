//! A gateway in memory, for the tests of everything above the port.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{
    Endpoint, Response,
    http::header,
    test::{TestClient, TestResponse},
};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    auth::{Caller, Credential, Role},
    deliveries::{Attempt, Delivery, DeliveryFilter, DeliveryState, OutcomeKind, OutcomeSummary},
    destinations::{Destination, DestinationState},
    events::{Event, EventBody, EventDelivery, EventFilter, Kind, NamedId, RouteResult, Verdict},
    hooks::Accepted,
    page::{Page, PageRequest},
    port::{Admission, Gateway, Hook, HookRefusal, ReadError, Readiness, RequestSeen},
    time::Timestamp,
};

pub(crate) const SOURCE: &str = "acme";
pub(crate) const TOKEN: &str = "token-of-acme";
pub(crate) const API_KEY: &str = "key-of-me";

/// An event id that makes the gateway panic.
pub(crate) const PANIC: &str = "panic";
/// An event id at which the store is away.
pub(crate) const AWAY: &str = "away";

/// The largest body of the fake's source, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// What all bodies of the fake may take together, in bytes.
pub(crate) const BODIES_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;
/// How long a body of the fake's source may take.
pub(crate) const BODY_READ_MAX: Duration = Duration::from_secs(5);
/// How many labels a request to the fake's source may add.
pub(crate) const LABELS_MAX: usize = 3;
/// The longest name or value of one, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 20;

/// Takes one token and one key, has `count` events, and remembers what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<State>);

#[derive(Default)]
struct State {
    count: usize,
    refusal: Option<HookRefusal>,
    not_ready: Vec<String>,
    /// Present in a gateway that stores only when the test says so: one permit for each body.
    storing: Option<Semaphore>,
    hooks: Mutex<Vec<Hook>>,
    seen: Mutex<Vec<RequestSeen>>,
    filters: Mutex<Vec<String>>,
}

impl Fake {
    pub(crate) fn with_events(count: usize) -> Self {
        Self(Arc::new(State { count, ..State::default() }))
    }

    /// Admits, then refuses to store.
    pub(crate) fn refusing(refusal: HookRefusal) -> Self {
        Self(Arc::new(State { refusal: Some(refusal), ..State::default() }))
    }

    /// Stores a body only with [`store_one`](Self::store_one).
    pub(crate) fn slow() -> Self {
        Self(Arc::new(State { storing: Some(Semaphore::new(0)), ..State::default() }))
    }

    pub(crate) fn store_one(&self) {
        self.0.storing.as_ref().expect("a slow gateway").add_permits(1);
    }

    pub(crate) fn not_ready(reasons: &[&str]) -> Self {
        let not_ready = reasons.iter().map(|reason| (*reason).to_owned()).collect();
        Self(Arc::new(State { not_ready, ..State::default() }))
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

    /// What was accepted so far.
    pub(crate) fn hooks(&self) -> Vec<Hook> {
        self.0.hooks.lock().unwrap().clone()
    }

    /// What was observed so far, without durations.
    pub(crate) fn seen(&self) -> Vec<(&'static str, u16)> {
        self.0.seen.lock().unwrap().iter().map(|seen| (seen.operation, seen.status)).collect()
    }

    /// The filters and pages that were asked for, as `Debug` shows them.
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
            body_read_max: BODY_READ_MAX,
            labels_max: LABELS_MAX,
            label_bytes_max: LABEL_BYTES_MAX,
        })
    }

    async fn accept(&self, (): (), hook: Hook) -> Result<Accepted, HookRefusal> {
        if let Some(refusal) = &self.0.refusal {
            return Err(refusal.clone());
        }
        if let Some(storing) = &self.0.storing {
            storing.acquire().await.unwrap().forget();
        }
        self.0.hooks.lock().unwrap().push(hook);
        Ok(Accepted { event_id: event(1).id, kind: Kind::MonitorRun, deliveries: 2 })
    }

    async fn authenticate(&self, key: &Credential) -> Option<Caller> {
        (key.expose() == API_KEY).then(|| Caller { name: "me".to_owned(), role: Role::Viewer })
    }

    async fn events(&self, filter: EventFilter, page: PageRequest) -> Result<Page<Event>, ReadError> {
        self.0.filters.lock().unwrap().push(format!("{filter:?} {page:?}"));
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
        Ok(found.map(|event| EventBody { content_type: event.content_type, body: "<script>".into() }))
    }

    async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Delivery>, ReadError> {
        self.0.filters.lock().unwrap().push(format!("{filter:?} {page:?}"));
        self.page(&page, |number| Delivery { attempts: None, ..delivery(number) })
    }

    async fn delivery(&self, id: &str) -> Result<Option<Delivery>, ReadError> {
        Ok((1..=self.0.count).map(delivery).find(|delivery| delivery.id == id))
    }

    async fn destinations(&self) -> Result<Vec<Destination>, ReadError> {
        Ok(vec![destination()])
    }

    async fn destination(&self, name: &str) -> Result<Option<Destination>, ReadError> {
        Ok(Some(destination()).filter(|destination| destination.name == name))
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

/// An event whose id ends in its number. Those with an even number came without a Content-Type.
pub(crate) fn event(number: usize) -> Event {
    Event {
        id: format!("0192f0c1-2b7e-7c3a-9d52-{number:012}"),
        received_at: Timestamp::from_unix_ms(1_790_000_000_125),
        source: SOURCE.to_owned(),
        kind: Kind::MonitorRun,
        subject: Some("1e8eea47".to_owned()),
        verdict: Some(Verdict::Failed),
        monitor: Some(NamedId { id: Some("1e8eea47".to_owned()), name: None }),
        collection: None,
        environment: None,
        activity: None,
        note: None,
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: (number % 2 == 1).then(|| "text/html".to_owned()),
        body_bytes: 8,
        deliveries: Some(vec![EventDelivery {
            id: number.to_string(),
            destination: "itoc360".to_owned(),
            route: "monitor runs".to_owned(),
            state: DeliveryState::Retrying,
            attempts: 1,
        }]),
        routes: Some(vec![RouteResult {
            name: "backups".to_owned(),
            matched: false,
            reasons: vec!["the kind is monitor_run, not collection_backup".to_owned()],
        }]),
    }
}

fn delivery(number: usize) -> Delivery {
    let at = Timestamp::from_unix_ms(1_790_000_000_000);
    let message = Some("the target answered 503".to_owned());
    let code = Some("http_503".to_owned());
    Delivery {
        id: number.to_string(),
        event_id: event(number).id,
        destination: "itoc360".to_owned(),
        route: "monitor runs".to_owned(),
        lane: "1e8eea47".to_owned(),
        state: DeliveryState::Retrying,
        attempts_made: 1,
        next_attempt_at: Some(at),
        created_at: at,
        finished_at: None,
        last_outcome: Some(OutcomeSummary {
            kind: OutcomeKind::Retry,
            code: code.clone(),
            message: message.clone(),
        }),
        attempts: Some(vec![Attempt {
            number: 1,
            started_at: at,
            finished_at: at,
            outcome: OutcomeKind::Retry,
            code,
            message,
            record: Some([("status".to_owned(), 503.into())].into()),
        }]),
    }
}

fn destination() -> Destination {
    Destination {
        name: "itoc360".to_owned(),
        plugin: "itoc360".to_owned(),
        plugin_version: Some("0.1.0".to_owned()),
        state: DestinationState::Ready,
        detail: None,
        paused_until: None,
        in_flight: 1,
        waiting: 2,
    }
}

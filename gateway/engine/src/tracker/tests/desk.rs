//! A store in memory, a tracker that can be killed at any point, and runs to follow.

use std::{collections::BTreeMap, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use postroom_core::{
    event::{Event, Facts, Kind, MadeKind, Verdict},
    id::{DestinationName, EventId, RouteName, SourceName},
    monitor::{Monitor, Mute, PolicySettings, Rules, Silence},
    route::{Conditions, Route},
    time::Timestamp,
};
use postroom_store::{IncidentRecord, NewEvent, Store, StoreError};
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::super::{Command, PAUSE, Reins, Tracker, Tracking, Wish};
use crate::{
    Clock, Drained, Intake, Metrics, Sources,
    testing::{self, Memory},
};

/// Where everything that the tracker makes goes.
pub(super) const PAGER: &str = "pager";
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Desk {
    pub(super) store: Arc<Memory>,
    pub(super) clock: Clock,
    metrics: Metrics,
    settings: watch::Sender<Arc<Tracking>>,
    commands: mpsc::UnboundedSender<Command>,
    running: Option<(JoinHandle<Drained>, CancellationToken)>,
    /// Monitors that one change writes at the most, if not as many as usual.
    pub(super) changed_max: Option<usize>,
    ids: u128,
}

/// What was told of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) kind: MadeKind,
    pub(super) monitor: String,
}

pub(super) fn tracking(settings: PolicySettings) -> Tracking {
    let rules = Rules { defaults: settings, rules: Vec::new() };
    Tracking { enabled: true, rules, ..Tracking::default() }
}

/// Incidents alone: nobody is silent.
pub(super) fn quiet() -> PolicySettings {
    PolicySettings { silence: Some(Silence::Never), ..PolicySettings::default() }
}

impl Desk {
    pub(super) fn new(tracking: Tracking) -> Self {
        Self::with_clock(tracking, testing::clock())
    }

    pub(super) fn with_clock(tracking: Tracking, clock: Clock) -> Self {
        let (store, _feed) = Memory::new(1);
        Self {
            store,
            clock,
            metrics: Metrics::default(),
            settings: watch::Sender::new(Arc::new(tracking)),
            commands: mpsc::unbounded_channel().0,
            running: None,
            changed_max: None,
            ids: 0,
        }
    }

    /// A tracker on this store, which does nothing yet.
    fn tracker(&mut self) -> Tracker {
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let (commands, asked) = mpsc::unbounded_channel();
        self.commands = commands;
        let made = MadeKind::ALL.map(Kind::Made).into();
        let route = Route {
            name: RouteName::new("made"),
            conditions: Conditions { kinds: made, ..Conditions::default() },
            to: vec![DestinationName::new(PAGER)],
        };
        let nobody = Sources::new([]);
        let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
        let intake = Intake::new(nobody, vec![route], Arc::clone(&store), clock.clone(), metrics.clone());
        let reins = Reins { settings: self.settings.subscribe(), commands: asked };
        let tracker = Tracker::new(store, Arc::new(intake), clock, metrics, reins);
        Tracker { changed_max: self.changed_max.unwrap_or(tracker.changed_max), ..tracker }
    }

    /// Starts a tracker, or another after [`Desk::kill`].
    pub(super) fn start(&mut self) {
        let (tracker, stop) = (self.tracker(), CancellationToken::new());
        self.running = Some((tokio::spawn(tracker.run(stop.clone())), stop));
    }

    /// Lets the tracker do all there is to do at this time, after its pause.
    pub(super) async fn settle(&self) {
        sleep(PAUSE + Duration::from_millis(1)).await;
    }

    pub(super) async fn wait(&self, time: Duration) {
        sleep(time + Duration::from_millis(1)).await;
    }

    /// Runs a tracker of its own for so many steps from one await to the next, and drops it then.
    pub(super) async fn run_for(&mut self, steps: usize) {
        let mut run = Box::pin(self.tracker().run(CancellationToken::new()));
        for _ in 0..steps {
            if poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx).is_ready())).await {
                return;
            }
        }
    }

    pub(super) async fn kill(&mut self) {
        let (running, _) = self.running.take().unwrap();
        running.abort();
        running.await.unwrap_err();
    }

    pub(super) async fn stop(&mut self) {
        let (running, stop) = self.running.take().unwrap();
        stop.cancel();
        assert_eq!(running.await.unwrap(), Drained::Complete);
    }

    pub(super) fn put(&self, tracking: Tracking) {
        self.settings.send_replace(Arc::new(tracking));
    }

    pub(super) async fn mute(&self, uid: &str, until: Option<Timestamp>) -> Option<Monitor> {
        self.asked_to_mute(uid, until).await.unwrap()
    }

    pub(super) async fn asked_to_mute(
        &self,
        uid: &str,
        until: Option<Timestamp>,
    ) -> Result<Option<Monitor>, StoreError> {
        let mute = until.map(|until| Mute { until, by: "me".to_owned(), reason: None });
        self.ask(uid, Wish::Mute(mute)).await
    }

    pub(super) async fn ask(&self, uid: &str, wish: Wish) -> Result<Option<Monitor>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command { uid: uid.to_owned(), wish, answer }).unwrap();
        answered.await.unwrap()
    }

    /// A run comes in.
    pub(super) async fn run(&mut self, uid: &str, verdict: Verdict) -> EventId {
        let at = self.clock.now();
        self.run_at(uid, verdict, at).await
    }

    pub(super) async fn run_at(&mut self, uid: &str, verdict: Verdict, at: Timestamp) -> EventId {
        let failed = u32::from(verdict == Verdict::Failed);
        let body = format!(
            r#"{{"monitor_name":"{uid}","metrics":{{"errors":0,"failedTests":{failed},"requestCount":4,"totalLatency":100}}}}"#
        );
        let facts = Facts {
            monitor_name: Some(uid.to_owned()),
            monitor_id: Some(uid.to_owned()),
            collection_name: Some("Checkout ".to_owned()),
            ..Facts::default()
        };
        self.accept(Kind::MonitorRun, uid, Some(verdict), facts, at, body).await
    }

    /// A backup of a collection comes in.
    pub(super) async fn backup(&mut self, uid: &str) -> EventId {
        let facts = Facts { collection_id: Some(uid.to_owned()), ..Facts::default() };
        let at = self.clock.now();
        self.accept(Kind::CollectionBackup, uid, None, facts, at, "{}".to_owned()).await
    }

    async fn accept(
        &mut self,
        kind: Kind,
        subject: &str,
        verdict: Option<Verdict>,
        facts: Facts,
        received_at: Timestamp,
        body: String,
    ) -> EventId {
        self.ids += 1;
        let id = EventId::from_bytes(self.ids.to_be_bytes());
        let event = Event {
            id,
            received_at,
            source: SourceName::new("acme"),
            kind,
            subject: Some(subject.to_owned()),
            ordering_key: subject.into(),
            verdict,
            facts,
            note: None,
            labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
            content_type: None,
            body_bytes: body.len() as u64,
            hops: 0,
        };
        let new = NewEvent {
            event: Arc::new(event),
            body: body.into(),
            targets: Vec::new(),
            explanations: Vec::new(),
            mark: None,
        };
        self.store.accept(new).await.unwrap();
        id
    }

    /// The events that were made, in order, with their bodies.
    pub(super) fn made(&self) -> Vec<(Arc<Event>, Value)> {
        let state = self.store.state();
        let events = state.events_in_order();
        let made = events.filter(|(event, _)| matches!(event.kind, Kind::Made(_)));
        made.map(|(event, body)| (Arc::clone(event), serde_json::from_slice(body).unwrap())).collect()
    }

    /// What was told, in order.
    pub(super) fn told(&self) -> Vec<Told> {
        let told = |event: Arc<Event>| {
            let Kind::Made(kind) = event.kind else { unreachable!("{event:?}") };
            Told { kind, monitor: event.subject.clone().unwrap() }
        };
        self.made().into_iter().map(|(event, _)| told(event)).collect()
    }

    /// What was told of one monitor.
    pub(super) fn told_of(&self, uid: &str) -> Vec<MadeKind> {
        self.told().into_iter().filter(|told| told.monitor == uid).map(|told| told.kind).collect()
    }

    pub(super) fn monitor(&self, uid: &str) -> Monitor {
        self.store.state().following().monitors[uid].monitor.clone()
    }

    pub(super) fn incidents(&self) -> Vec<IncidentRecord> {
        let state = self.store.state();
        let kept = state.following();
        let mut incidents: Vec<_> = kept.incidents.keys().filter_map(|id| kept.incident(*id)).collect();
        incidents.sort_by_key(|incident| (incident.opened_at, incident.first_failing.event));
        incidents
    }

    pub(super) fn kept(&self) -> usize {
        self.store.state().following().tracks
    }
}

impl Desk {
    /// All runs that came in, each with its monitor.
    pub(super) fn runs_in_order(&self) -> Vec<(String, postroom_core::monitor::Run)> {
        use postroom_core::monitor::{Numbers, Run};
        let state = self.store.state();
        let runs = state.events_in_order().filter(|(event, _)| event.kind == Kind::MonitorRun);
        let run = |(event, body): &(Arc<Event>, bytes::Bytes)| {
            let verdict = event.verdict.unwrap();
            let run = Run { event: event.id, at: event.received_at, verdict, numbers: Numbers::read(body) };
            (event.subject.clone().unwrap(), run)
        };
        runs.map(run).collect()
    }
}

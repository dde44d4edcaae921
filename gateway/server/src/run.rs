//! The whole life of a gateway: start, serve, drain.

use std::{collections::BTreeMap, future::Future, io, sync::Arc, time::Duration};

use futures_util::future::join_all;
use postroom_core::limits;
use postroom_engine::{Clock, CommitFeed, Drained, Handle, Intake};
use postroom_store::{OpenError, SqliteStore, Store, StoreError};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{
        Api, ApiKeys, Audit, Destinations, Kept, Metrics, MonitorMetrics, Parts, Sessions, StoreHealth,
        Stream, of_signal,
    },
    assemble::{self, Offers, Started},
    config::{Config, Faults},
    plugin_emit::EmitRates,
    plugin_metrics::PluginSeries,
    reload::{self, Governed, Loaded, ReadAgain, Reloader},
    serve::{self, Limits},
};

/// How long a plugin may take to end before its process is killed.
const PLUGIN_STOP_MAX: Duration = Duration::from_secs(5);

/// Who reloads the configuration, when a signal does.
const HANG_UP: &str = "SIGHUP";

/// Why the gateway did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A destination's plugin is not there.
    #[error("{0}")]
    Config(Faults),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[source] OpenError),
    /// The kernel does not let the gateway keep its memory to itself.
    #[error("cannot keep the gateway's secrets from its plugins")]
    Shield(#[source] io::Error),
    /// The API keys that are in the store cannot be read.
    #[error("the API keys in the store cannot be read")]
    Keys(#[source] StoreError),
    /// The dispatcher failed; the log says how.
    #[error("the dispatcher failed, so nothing would be delivered: start the gateway again")]
    Dispatcher,
    /// The listener does not know its address.
    #[error("cannot listen")]
    Listen(#[source] io::Error),
}

/// Runs a gateway on `listener` until `shutdown` is ready, then drains it. Each message of `reloads` has it read the
/// configuration anew, by `read_again`.
///
/// The caller binds the socket and owns the signal to stop, so a test enters by the same door as the command. At the end
/// no request is open and every outcome is stored; what was still in flight after `[server] drain` is delivered
/// again at the next start.
///
/// # Errors
/// When the gateway cannot start, and when its dispatcher fails: events would be taken and never delivered.
pub async fn run(
    config: Config,
    read_again: ReadAgain,
    listener: TcpListener,
    reloads: mpsc::Receiver<()>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let address = listener.local_addr().map_err(RunError::Listen)?;
    let gateway = Gateway::start(config.clone(), read_again).await?;
    tracing::info!(address = %address, store = %config.store.path.display(), "listening");
    config.warn_of_short_tokens();
    tracing::info!(
        sources = config.sources.len(),
        routes = config.routes.len(),
        destinations = config.destinations.len(),
        "ready"
    );

    let stopping = CancellationToken::new();
    let mut failed = false;
    let stop = async {
        tokio::select! {
            () = shutdown => {}
            () = gateway.engine.ended() => failed = true,
        }
        tracing::info!("stopping, requests and deliveries in flight may end");
        gateway.stream.end();
        stopping.cancel();
    };
    let limits = Limits { drain_max: config.server.drain, ..Limits::default() };
    let endpoint = postroom_openapi::endpoint(gateway.api.clone(), limits::BODIES_IN_MEMORY_BYTES_MAX);
    // Side by side, each with the whole time: a slow client must not cost deliveries theirs.
    let drain = async {
        stopping.cancelled().await;
        if gateway.engine.drain(config.server.drain).await == Drained::Incomplete {
            tracing::warn!("some deliveries did not end in time, they go again at the next start");
        }
    };
    let reloader = &gateway.reloader;
    let reload = async {
        tokio::join!(
            follow(reloads, reloader, &gateway.audit),
            reload::watch(Arc::clone(reloader), gateway.audit.clone()),
            gateway.keys.keep_uses()
        )
    };
    let reload = async { stopping.run_until_cancelled(reload).await.map_or((), |((), (), ())| ()) };
    tokio::join!(serve::serve(listener, endpoint, limits, stop), drain, reload);
    gateway.stop().await;
    tracing::info!("stopped");
    if failed { Err(RunError::Dispatcher) } else { Ok(()) }
}

/// Reloads the configuration whenever it is asked to.
async fn follow(mut reloads: mpsc::Receiver<()>, reloader: &Arc<Reloader>, audit: &Audit) {
    while reloads.recv().await.is_some() {
        let before = reloader.in_force();
        // It says in the log how it went.
        let done = reloader.reload(HANG_UP).await;
        audit.keep(of_signal(&before, HANG_UP, &done)).await;
    }
}

/// The parts of a running gateway.
struct Gateway {
    store: Arc<SqliteStore>,
    reloader: Arc<Reloader>,
    engine: Arc<Handle>,
    keys: Arc<ApiKeys>,
    audit: Audit,
    api: Api,
    stream: Stream,
    reporter: JoinHandle<()>,
}

impl Gateway {
    async fn start(config: Config, read_again: ReadAgain) -> Result<Self, RunError> {
        postroom_host::shield_from_plugins().map_err(RunError::Shield)?;
        let loaded = Loaded::new(config).map_err(RunError::Config)?;
        let config = &loaded.config;
        let opened = SqliteStore::open(postroom_store::Options::new(config.store.path.clone()));
        let (store, commits, newest) = opened.map_err(RunError::Store)?;
        let store = Arc::new(store);
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;

        let (clock, counters) = (Clock::system(), postroom_engine::Metrics::default());
        // The last that can fail: what begins from here on would have to be ended again.
        let keys = ApiKeys::open(&config.api_keys, config.api, Arc::clone(&shared), clock.clone());
        let keys = Arc::new(keys.await.map_err(RunError::Keys)?);
        let (sources, routes) = (assemble::sources(config), config.routes.clone());
        let intake = Intake::new(sources, routes, Arc::clone(&shared), clock.clone(), counters.clone());
        let offers = Offers {
            store: Arc::clone(&shared),
            intake: Arc::new(intake),
            emit_rates: EmitRates::default(),
            series: PluginSeries::default(),
            clock: clock.clone(),
            own_files: config.own_files().into(),
        };
        let (mut instances, mut destinations, mut infos) = (BTreeMap::new(), Vec::new(), Vec::new());
        for resolved in &loaded.resolved {
            let Started { instance, engine, info } = offers.start(resolved);
            instances.insert(resolved.destination.name.clone(), instance);
            destinations.push(engine);
            infos.push(info);
        }
        let feed = CommitFeed { commits, newest };
        let engine = Arc::new(postroom_engine::start(postroom_engine::Parts {
            store: Arc::clone(&shared),
            feed,
            intake: Arc::clone(&offers.intake),
            destinations,
            retention: assemble::retention(config),
            tracking: assemble::tracking(config, None, &clock),
            clock: clock.clone(),
            metrics: counters.clone(),
        }));
        let sessions = Arc::new(Sessions::new(config.server.public_url.as_deref()));
        let audit = Audit::new(Arc::clone(&shared), clock.clone());
        let stream = Stream::new(&shared, &engine, clock.now());
        let history = config.tracker.history;
        let monitor_metrics = MonitorMetrics::new(config.tracker.metrics_monitors_max);
        let metrics = Metrics::new(&counters, &offers.series, &monitor_metrics);
        let governed = Governed {
            intake: Arc::clone(&offers.intake),
            offers,
            engine: Arc::clone(&engine),
            keys: Arc::clone(&keys),
            sessions: Arc::clone(&sessions),
            destinations: Arc::new(Destinations::new(infos)),
            stream: stream.clone(),
            monitor_metrics: monitor_metrics.clone(),
        };
        let reloader = Arc::new(Reloader::new(read_again, governed.clone(), loaded, instances));
        let Governed { intake, destinations, .. } = governed;
        let reporter = tokio::spawn(stream.reporter(&shared, &destinations).run());
        let api = Api::new(Parts {
            intake,
            store: shared,
            engine: Arc::clone(&engine),
            destinations,
            keys: Arc::clone(&keys),
            sessions,
            audit: audit.clone(),
            reloader: Arc::clone(&reloader),
            counters,
            stream: stream.clone(),
            metrics,
            monitor_metrics,
            history,
            store_health: StoreHealth::default(),
            overview: Kept::default(),
            dead_letters: Kept::default(),
            started: (clock.now(), Instant::now()),
            clock,
            checking: tokio::sync::Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        });
        Ok(Self { store, reloader, engine, keys, audit, api, stream, reporter })
    }

    /// Ends the plugins and then the store, which they may still need.
    async fn stop(self) {
        // A fault that ended it was told at once.
        drop(self.reporter.await);
        let instances = self.reloader.stop().await;
        join_all(instances.iter().map(|instance| instance.stop(PLUGIN_STOP_MAX))).await;
        self.keys.keep_uses_now().await;
        self.store.close().await;
    }
}

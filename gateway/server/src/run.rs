//! The whole life of a gateway: start, serve, drain.

use std::{future::Future, io, sync::Arc, time::Duration};

use futures_util::future::join_all;
use postroom_core::limits;
use postroom_engine::{Clock, CommitFeed, Drained, Handle, Intake};
use postroom_host::{Instance, discover};
use postroom_store::{OpenError, SqliteStore, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Api, ApiKeys, Metrics, Parts, StoreHealth},
    assemble::{self, Started},
    config::{Config, Faults, resolve, secrets},
    serve::{self, Limits},
};

/// How long a plugin may take to end before its process is killed.
const PLUGIN_STOP_MAX: Duration = Duration::from_secs(5);

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
    /// The dispatcher failed; the log says how.
    #[error("the dispatcher failed, so nothing would be delivered: start the gateway again")]
    Dispatcher,
    /// The listener does not know its address.
    #[error("cannot listen")]
    Listen(#[source] io::Error),
}

/// Runs a gateway on `listener` until `shutdown` is ready, then drains it.
///
/// The caller binds the socket and owns the signal to stop, so a test enters by the same door as the command. At the end
/// no request is open and every outcome is stored; what was still in flight after `[server] drain` is delivered
/// again at the next start.
///
/// # Errors
/// When the gateway cannot start, and when its dispatcher fails: events would be taken and never delivered.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let address = listener.local_addr().map_err(RunError::Listen)?;
    let gateway = Gateway::start(&config)?;
    tracing::info!(address = %address, store = %config.store.path.display(), "listening");
    warn_of_short_tokens(&config);
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
    tokio::join!(serve::serve(listener, endpoint, limits, stop), drain);
    gateway.stop().await;
    tracing::info!("stopped");
    if failed { Err(RunError::Dispatcher) } else { Ok(()) }
}

/// The parts of a running gateway.
struct Gateway {
    store: Arc<SqliteStore>,
    instances: Vec<Instance>,
    engine: Arc<Handle>,
    api: Api,
}

impl Gateway {
    fn start(config: &Config) -> Result<Self, RunError> {
        postroom_host::shield_from_plugins().map_err(RunError::Shield)?;
        let catalog = discover(&config.plugins.path);
        let resolved = resolve::resolve(config, &catalog).map_err(RunError::Config)?;
        let opened = SqliteStore::open(postroom_store::Options::new(config.store.path.clone()));
        let (store, commits, newest) = opened.map_err(RunError::Store)?;
        let store = Arc::new(store);
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;

        let (clock, counters) = (Clock::system(), postroom_engine::Metrics::default());
        let (mut instances, mut destinations, mut infos) = (Vec::new(), Vec::new(), Vec::new());
        for resolved in resolved {
            let Started { instance, engine, info } = assemble::start(resolved, &shared, &clock);
            instances.push(instance);
            destinations.push(engine);
            infos.push(info);
        }
        let feed = CommitFeed { commits, newest };
        let engine = Arc::new(postroom_engine::start(postroom_engine::Parts {
            store: Arc::clone(&shared),
            feed,
            destinations,
            retention: assemble::retention(config),
            clock: clock.clone(),
            metrics: counters.clone(),
        }));
        let metrics = Metrics::new(&counters);
        let sources = assemble::sources(config);
        let api = Api::new(Parts {
            intake: Intake::new(sources, config.routes.clone(), Arc::clone(&shared), clock, counters),
            store: shared,
            engine: Arc::clone(&engine),
            destinations: infos,
            keys: ApiKeys::new(&config.api_keys),
            metrics,
            store_health: StoreHealth::default(),
        });
        Ok(Self { store, instances, engine, api })
    }

    /// Ends the plugins and then the store, which they may still need.
    async fn stop(self) {
        join_all(self.instances.iter().map(|instance| instance.stop(PLUGIN_STOP_MAX))).await;
        self.store.close().await;
    }
}

fn warn_of_short_tokens(config: &Config) {
    for source in config.sources.iter().filter(|source| source.tokens.iter().any(secrets::is_short)) {
        tracing::warn!(source = %source.name, "a token of this source is so short that it can be guessed");
    }
    for key in config.api_keys.iter().filter(|key| secrets::is_short(&key.key)) {
        tracing::warn!(api_key = key.name, "this API key is so short that it can be guessed");
    }
}

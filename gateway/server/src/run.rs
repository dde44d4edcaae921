//! The whole life of a gateway: start, serve, drain.

use std::{future::Future, io, sync::Arc, time::Duration};

use futures_util::future::join_all;
use postroom_core::limits;
use postroom_engine::{Clock, CommitFeed, Drained, Intake};
use postroom_host::discover;
use postroom_store::{OpenError, SqliteStore, Store};
use tokio::net::TcpListener;

use crate::{
    api::{Api, ApiKeys, Metrics, Parts},
    assemble,
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
/// When the gateway cannot start.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let address = listener.local_addr().map_err(RunError::Listen)?;
    let catalog = discover(&config.plugins.path);
    let resolved = resolve::resolve(&config, &catalog).map_err(RunError::Config)?;

    let opened = SqliteStore::open(postroom_store::Options::new(config.store.path.clone()));
    let (store, commits, newest) = opened.map_err(RunError::Store)?;
    let store = Arc::new(store);
    tracing::info!(address = %address, store = %config.store.path.display(), "listening");

    let started: Vec<_> = resolved.into_iter().map(assemble::start).collect();
    let (mut instances, mut destinations, mut infos) = (Vec::new(), Vec::new(), Vec::new());
    for one in started {
        instances.push(one.instance);
        destinations.push(one.engine);
        infos.push(one.info);
    }

    let clock = Clock::system();
    let counters = postroom_engine::Metrics::default();
    let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
    let engine = Arc::new(postroom_engine::start(
        Arc::clone(&shared),
        CommitFeed { commits, newest },
        destinations,
        clock.clone(),
        counters.clone(),
    ));
    let api = Api::new(Parts {
        intake: Intake::new(
            assemble::sources(&config),
            config.routes.clone(),
            Arc::clone(&shared),
            clock,
            counters.clone(),
        ),
        store: Arc::clone(&shared),
        engine: Arc::clone(&engine),
        destinations: infos,
        keys: ApiKeys::new(&config.api_keys),
        metrics: Metrics::new(&counters),
    });
    for source in &config.sources {
        if source.tokens.iter().any(secrets::is_short) {
            tracing::warn!(source = %source.name, "a token of this source is so short that it can be guessed");
        }
    }
    tracing::info!(
        sources = config.sources.len(),
        routes = config.routes.len(),
        destinations = config.destinations.len(),
        "ready"
    );
    let limits = Limits { drain_max: config.server.drain, ..Limits::default() };
    let endpoint = postroom_openapi::endpoint(api, bodies_in_memory(&config));
    serve::serve(listener, endpoint, limits, shutdown).await;

    tracing::info!("stopping, deliveries in flight may end");
    if engine.drain(config.server.drain).await == Drained::TimedOut {
        tracing::warn!(
            drain_s = config.server.drain.as_secs(),
            "some deliveries did not end in time, they go again at the next start"
        );
    }
    join_all(instances.iter().map(|instance| instance.stop(PLUGIN_STOP_MAX))).await;
    drop((engine, shared));
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What all bodies may take in memory together: never less than one body that a source takes.
fn bodies_in_memory(config: &Config) -> usize {
    let largest = config.sources.iter().map(|source| source.body_bytes_max).max().unwrap_or_default();
    limits::BODIES_IN_MEMORY_BYTES_MAX.max(usize::try_from(largest).unwrap_or(usize::MAX))
}

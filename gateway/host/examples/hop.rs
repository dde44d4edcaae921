//! Measures the way to a plugin and back: `hop child|in-process LIBRARY [DELIVERIES_AT_ONCE [BODY_BYTES [SECONDS
//! [CONFIG_JSON]]]]`. `child` is how the gateway runs a plugin, `in-process` is what a process of its own is compared with.
//!
//! Prints deliveries a second, and how long one takes in microseconds, as JSON. Give it a plugin that ends every event at
//! once, such as the one of `tests/bench/sink`: then what is measured is the hop and nothing else.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]
#![expect(unsafe_code, reason = "loads a plugin into its own process when it is told to")]

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs::File,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use postroom_core::{
    event::{Event, Facts, Kind, Verdict},
    id::{DestinationName, EventId, SourceName},
    limits::INLINE_BODY_BYTES_MAX,
    time::Timestamp,
};
use postroom_host::{
    Backoff, Delivered, InProcess, Instance, InstanceConfig, PluginBody, PluginDelivery, PluginFile, Program,
    Sandbox, inspect, plugin_host_main,
};
use serde_json::{Value, json};
use tokio::{runtime, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

/// The one that the gateway has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WARM_UP: Duration = Duration::from_millis(300);
const STOP: Duration = Duration::from_secs(5);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let argument = |at: usize, default| arguments.get(at).map_or(default, String::as_str);
    let side = argument(0, "");
    if side == "plugin-host" {
        return Ok(plugin_host_main());
    }
    let library = inspect(Path::new(argument(1, "")))?;
    let at_once: u32 = argument(2, "64").parse()?;
    let bytes: usize = argument(3, "1024").parse()?;
    let measured = Duration::from_secs_f64(argument(4, "3").parse()?);
    let config = serde_json::from_str(argument(5, "{}"))?;
    // One thread delivers, as in the gateway.
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let plugin = match side {
            "child" => Plugin::child(library, config, at_once),
            "in-process" => Plugin::in_process(&library, &config)?,
            _ => return Err("say child or in-process first".into()),
        };
        let body = body(bytes, side == "child")?;
        measure(&plugin, at_once, body, measured).await?;
        plugin.stop().await;
        Ok::<_, Box<dyn Error>>(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A plugin at work.
#[derive(Clone)]
enum Plugin {
    Child(Instance),
    InProcess(Arc<InProcess>),
}

impl Plugin {
    fn child(plugin: PluginFile, config: Value, at_once: u32) -> Self {
        Self::Child(Instance::start(InstanceConfig {
            destination: DestinationName::new("hop"),
            plugin,
            config,
            secrets: BTreeMap::new(),
            state: None,
            emit: None,
            metrics: None,
            program: Program::ThisProcess,
            sandbox: Sandbox::default(),
            concurrency: at_once,
            drain: std::time::Duration::from_secs(60),
            backoff: Backoff::default(),
        }))
    }

    fn in_process(plugin: &PluginFile, config: &Value) -> Result<Self, Box<dyn Error>> {
        // SAFETY: whoever calls this program wants just that.
        let plugin = unsafe { InProcess::start(plugin, config) }?;
        Ok(Self::InProcess(Arc::new(plugin)))
    }

    async fn deliver(&self, delivery: &PluginDelivery) -> Delivered {
        match self {
            Self::Child(instance) => instance.deliver(delivery.clone()).await,
            Self::InProcess(plugin) => plugin.deliver(delivery).await,
        }
    }

    async fn stop(self) {
        match self {
            Self::Child(instance) => instance.stop(STOP).await,
            Self::InProcess(plugin) => plugin.stop(STOP),
        }
    }
}

async fn measure(
    plugin: &Plugin,
    at_once: u32,
    body: PluginBody,
    measured: Duration,
) -> Result<(), Box<dyn Error>> {
    let delivery = delivery(body);
    deliver_for(plugin, &delivery, at_once, WARM_UP).await?;
    let started = Instant::now();
    let mut took = deliver_for(plugin, &delivery, at_once, measured).await?;
    let elapsed = started.elapsed();
    took.sort_unstable();
    let us = |per_mille: usize| {
        let at = (took.len() * per_mille / 1000).min(took.len().saturating_sub(1));
        took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e6)
    };
    println!(
        "{}",
        json!({
            "rps": took.len() as f64 / elapsed.as_secs_f64(),
            "p50_us": us(500),
            "p99_us": us(990),
            "p999_us": us(999),
        })
    );
    Ok(())
}

/// Delivers so many at a time; gives how long each took.
async fn deliver_for(
    plugin: &Plugin,
    delivery: &PluginDelivery,
    at_once: u32,
    time: Duration,
) -> Result<Vec<Duration>, String> {
    let until = Instant::now() + time;
    let mut lanes = JoinSet::new();
    for _ in 0..at_once {
        let (plugin, delivery) = (plugin.clone(), delivery.clone());
        lanes.spawn(async move { deliver_until(&plugin, &delivery, until).await });
    }
    let mut took = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        took.extend(lane.map_err(|error| error.to_string())??);
    }
    Ok(took)
}

/// Delivers one after the other.
async fn deliver_until(
    plugin: &Plugin,
    delivery: &PluginDelivery,
    until: Instant,
) -> Result<Vec<Duration>, String> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let started = Instant::now();
        match plugin.deliver(delivery).await {
            Delivered::Outcome(outcome) if outcome.code.is_empty() => took.push(started.elapsed()),
            other => return Err(format!("the plugin does not take it: {other:?}")),
        }
    }
    Ok(took)
}

/// A body of so many bytes. For a process of its own a large one is a file, as it is in the gateway.
fn body(bytes: usize, for_child: bool) -> io::Result<PluginBody> {
    let body = vec![b'x'; bytes];
    if !for_child || bytes <= INLINE_BODY_BYTES_MAX {
        return Ok(PluginBody::Bytes(Bytes::from(body)));
    }
    let path = env::temp_dir().join(format!("postroom-hop-{}", std::process::id()));
    File::create_new(&path)?.write_all(&body)?;
    let file = File::open(&path)?;
    std::fs::remove_file(path)?;
    Ok(PluginBody::File { file: Arc::new(file), bytes: bytes as u64 })
}

fn delivery(body: PluginBody) -> PluginDelivery {
    let event = Event {
        id: EventId::from_bytes([7; 16]),
        received_at: Timestamp::from_unix_ms(1_700_000_000_000),
        source: SourceName::new("acme"),
        kind: Kind::MonitorRun,
        subject: Some("1e2f3a4b-0000-4000-8000-000000000001".to_owned()),
        ordering_key: "1e2f3a4b-0000-4000-8000-000000000001".into(),
        verdict: Some(Verdict::Failed),
        facts: Facts::default(),
        note: None,
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: Some("application/json".to_owned()),
        hops: 0,
        body_bytes: match &body {
            PluginBody::Bytes(body) => body.len() as u64,
            PluginBody::File { bytes, .. } => *bytes,
        },
    };
    PluginDelivery {
        event: Arc::new(event),
        body,
        attempt: 1,
        deadline: Timestamp::from_unix_ms(1_900_000_000_000),
        time_limit: Duration::from_secs(60),
        time_limit_max: Duration::from_secs(60),
        cancel: CancellationToken::new(),
    }
}

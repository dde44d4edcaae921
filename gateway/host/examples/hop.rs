//! Measures the way to a plugin and back: `hop LIBRARY [CONFIG_JSON [DELIVERIES_AT_ONCE [BODY_BYTES [SECONDS]]]]`.
//!
//! Prints deliveries a second and how long one takes. Give it a plugin that ends a monitor run at once, such as the
//! backup plugin, which skips it: then what is measured is the hop and nothing else.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use std::{
    collections::BTreeMap, env, error::Error, path::Path, process::ExitCode, sync::Arc, time::Duration,
};

use bytes::Bytes;
use postroom_core::{
    event::{Event, Facts, Kind, Verdict},
    id::{DestinationName, EventId, SourceName},
    time::Timestamp,
};
use postroom_host::{
    Backoff, Delivered, Instance, InstanceConfig, PluginBody, PluginDelivery, Program, Sandbox, inspect,
    plugin_host_main,
};
use tokio::{runtime::Runtime, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let argument =
        |at: usize, default: &str| arguments.get(at).map_or_else(|| default.to_owned(), Clone::clone);
    let library = argument(0, "");
    if library == "plugin-host" {
        return Ok(plugin_host_main());
    }
    let at_once: u32 = argument(2, "64").parse()?;
    let body = Bytes::from(vec![b'x'; argument(3, "1024").parse()?]);
    let measured = Duration::from_secs(argument(4, "3").parse()?);
    let config = InstanceConfig {
        destination: DestinationName::new("hop"),
        plugin: inspect(Path::new(&library))?,
        config: serde_json::from_str(&argument(1, "{}"))?,
        secrets: BTreeMap::new(),
        state: None,
        program: Program::ThisProcess,
        sandbox: Sandbox::default(),
        concurrency: at_once,
        backoff: Backoff::default(),
    };
    Runtime::new()?.block_on(measure(config, at_once, body, measured))?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(
    config: InstanceConfig,
    at_once: u32,
    body: Bytes,
    measured: Duration,
) -> Result<(), Box<dyn Error>> {
    let instance = Instance::start(config);
    let delivery = delivery(body);
    deliver_until(&instance, &delivery, Instant::now() + WARM_UP).await?;
    let (started, until) = (Instant::now(), Instant::now() + measured);
    let mut lanes = JoinSet::new();
    for _ in 0..at_once {
        let (instance, delivery) = (instance.clone(), delivery.clone());
        lanes.spawn(async move { deliver_until(&instance, &delivery, until).await });
    }
    let mut took = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        took.extend(lane??);
    }
    let elapsed = started.elapsed();
    took.sort_unstable();
    let at =
        |share: usize| took.get((took.len() * share / 1000).min(took.len() - 1)).copied().unwrap_or_default();
    println!(
        "{:.0} deliveries/s, p50 {:?}, p99 {:?}, p99.9 {:?}",
        took.len() as f64 / elapsed.as_secs_f64(),
        at(500),
        at(990),
        at(999)
    );
    instance.stop(Duration::from_secs(5)).await;
    Ok(())
}

/// Delivers one after the other; gives how long each took.
async fn deliver_until(
    instance: &Instance,
    delivery: &PluginDelivery,
    until: Instant,
) -> Result<Vec<Duration>, String> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let started = Instant::now();
        match instance.deliver(delivery.clone()).await {
            Delivered::Outcome(outcome) if outcome.code.is_empty() => took.push(started.elapsed()),
            other => return Err(format!("the plugin does not take it: {other:?}")),
        }
    }
    Ok(took)
}

fn delivery(body: Bytes) -> PluginDelivery {
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
        body_bytes: body.len() as u64,
    };
    PluginDelivery {
        event: Arc::new(event),
        body: PluginBody::Bytes(body),
        attempt: 1,
        deadline: Timestamp::from_unix_ms(1_900_000_000_000),
        time_limit: Duration::from_secs(60),
        cancel: CancellationToken::new(),
    }
}

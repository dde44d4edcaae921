//! How long it takes to find events: `cargo run --release -p postroom-store --example finding -- 1000000` keeps a million
//! events with a delivery each, then asks for pages of 50 by every filter, at both ends and in between.
//! With a folder as the second argument the database stays there, and goes on from what there is the next time.

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use postroom_core::{
    delivery::DeliveryState,
    event::{Event, Facts, Kind, Verdict},
    id::{DestinationName, EventId, RouteName, SourceName},
    route::Target,
    time::Timestamp,
};
use postroom_store::{
    DeliveryChange, EventFilter, FollowFrom, NewBody, NewEvent, Options, PageRequest, SqliteStore, Store,
    StoreError,
};
use tokio::task::JoinSet;

/// Events written at once.
const BATCH: i64 = 1000;
/// 2026-01-01T00:00:00Z, and the time between two events.
const START_MS: i64 = 1_767_225_600_000;
const STEP_MS: i64 = 250;
/// How often each filter is asked for.
const ASKED: i64 = 100;
const LIMIT: usize = 50;

fn moment(number: i64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + STEP_MS * number)
}

fn monitor(number: i64) -> String {
    format!("1e8eea47-e976-4b60-a122-11a50000{:04x}", number % 1000)
}

fn new_event(number: i64) -> NewEvent {
    let id = u128::from(moment(number).as_unix_ms().unsigned_abs()) << 80
        | 7 << 76
        | u128::from(number.unsigned_abs());
    let event = Event {
        id: EventId::from_bytes(id.to_be_bytes()),
        received_at: moment(number),
        source: SourceName::new("acme"),
        kind: if number % 10 == 0 { Kind::CollectionBackup } else { Kind::MonitorRun },
        subject: Some(monitor(number)),
        ordering_key: monitor(number).into(),
        verdict: Some(Verdict::Passed),
        facts: Facts {
            monitor_name: Some("Checkout smoke test".to_owned()),
            monitor_id: Some(monitor(number)),
            collection_name: Some("Checkout API".to_owned()),
            collection_id: Some(format!("c{}", number % 50)),
            environment_name: Some("Production".to_owned()),
            ..Facts::default()
        },
        note: None,
        labels: BTreeMap::from([
            ("team".to_owned(), format!("t{}", number % 20)),
            ("region".to_owned(), "eu".to_owned()),
        ]),
        content_type: Some("application/json".to_owned()),
        body_bytes: 2,
        hops: 0,
    };
    NewEvent {
        event: Arc::new(event),
        body: NewBody::Inline(b"{}".to_vec().into()),
        targets: vec![Target { destination: DestinationName::new("itoc360"), route: RouteName::new("all") }],
        explanations: Vec::new(),
        mark: None,
    }
}

/// Makes events until there are `rows`; one delivery of a hundred is dead, the others are delivered.
async fn fill(store: &Arc<SqliteStore>, rows: i64) -> Result<(), StoreError> {
    let there = store.events_from(EventFilter::default(), FollowFrom::Now, 1).await?.last;
    let mut first = there;
    while first < rows {
        let mut accepting = JoinSet::new();
        for number in first..first + BATCH {
            let store = Arc::clone(store);
            accepting.spawn(async move { store.accept(new_event(number)).await });
        }
        let mut changes = Vec::new();
        for accepted in accepting.join_all().await {
            changes.extend(accepted?.deliveries.into_iter().map(|id| DeliveryChange {
                id,
                state: if id.get() % 100 == 0 { DeliveryState::Dead } else { DeliveryState::Delivered },
                attempts: Some(1),
                due: None,
                at: moment(first),
                attempt: None,
            }));
        }
        store.record(changes).await?;
        first += BATCH;
    }
    Ok(())
}

fn filters(rows: i64) -> Vec<(&'static str, EventFilter)> {
    let all = EventFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let label = |value: &str| Some(("team".to_owned(), text(value)));
    let one = || Some(monitor(1));
    let half = Some(moment(rows / 2));
    vec![
        ("all", all()),
        ("kind", EventFilter { kind: Some(Kind::CollectionBackup), ..all() }),
        ("subject", EventFilter { subject: one(), ..all() }),
        ("monitor", EventFilter { monitor: one(), ..all() }),
        ("monitor, other kind", EventFilter { monitor: one(), kind: Some(Kind::Activity), ..all() }),
        ("time", EventFilter { since: half, until: Some(moment(rows / 2 + 5000)), ..all() }),
        ("monitor, time", EventFilter { monitor: one(), until: half, ..all() }),
        ("label of 5 %", EventFilter { label: label("t3"), ..all() }),
        ("label of none", EventFilter { label: label("none"), ..all() }),
        ("collection of 2 %", EventFilter { collection: text("c7"), ..all() }),
        ("collection of none", EventFilter { collection: text("none"), ..all() }),
        ("text of all", EventFilter { text: text("checkout"), ..all() }),
        ("text of none", EventFilter { text: text("nothing like it"), ..all() }),
    ]
}

/// The median and the 99th percentile, in milliseconds.
fn quantiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let quantile = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    (quantile(50), quantile(99))
}

fn ms_since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = env::args().nth(1).map(|rows| rows.parse::<i64>()).transpose()?.unwrap_or(1_000_000);
    let folder = tempfile::tempdir()?;
    let kept = env::args_os().nth(2).map_or_else(|| folder.path().to_owned(), PathBuf::from);
    let (store, _feed, _highest) = SqliteStore::open(Options::new(kept.join("postroom.db")))?;
    let store = Arc::new(store);
    let mut out = io::stdout().lock();
    let begin = Instant::now();
    fill(&store, rows).await?;
    writeln!(out, "{rows} events after {:.0} s", begin.elapsed().as_secs_f64())?;

    for (what, filter) in filters(rows) {
        let (mut pages, mut followed, mut found) = (Vec::new(), Vec::new(), 0);
        for place in 0..ASKED {
            let place = rows * place / ASKED;
            let before = (place > 0).then_some(place);
            let begin = Instant::now();
            let page = store.events(filter.clone(), PageRequest { before, limit: LIMIT }).await?;
            pages.push(ms_since(begin));
            found += page.items.len();
            let begin = Instant::now();
            store.events_from(filter.clone(), FollowFrom::After(place), LIMIT).await?;
            followed.push(ms_since(begin));
        }
        let ((page, page_99), (part, part_99)) = (quantiles(pages), quantiles(followed));
        writeln!(
            out,
            "{what:<20} page p50 {page:6.2} p99 {page_99:6.2} ms, followed p50 {part:6.2} p99 {part_99:6.2} ms, \
             {found} found in {ASKED} pages"
        )?;
    }
    let (mut overviews, mut dead) = (Vec::new(), Vec::new());
    for _ in 0..ASKED {
        let begin = Instant::now();
        store.overview(moment(rows)).await?;
        overviews.push(ms_since(begin));
        let begin = Instant::now();
        store.dead_letters().await?;
        dead.push(ms_since(begin));
    }
    for (what, times) in [("overview", overviews), ("dead letters", dead)] {
        let (median, slowest) = quantiles(times);
        writeln!(out, "{what:<20} p50 {median:6.2} p99 {slowest:6.2} ms")?;
    }
    store.close().await;
    Ok(())
}

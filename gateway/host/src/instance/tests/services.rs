//! Events that a plugin makes, what it measures, the time that it asks for, and secrets that change while it runs.

use std::sync::{LazyLock, Mutex, MutexGuard};

use postroom_core::id::EventId;

use super::*;
use crate::{
    manifest::DeclaredMetric,
    plugin_emit::{Emission, EmitReply, Origin, PluginEmit},
    plugin_metrics::PluginMetrics,
    testing::compile,
};

static SPEAKER: LazyLock<Compiled> = LazyLock::new(|| {
    let source = include_str!("../../../../../tests/faulty/speaker.c");
    compile(source, &["-shared", "-fPIC", "-pthread"])
});

/// What a plugin has made and measured.
#[derive(Debug, Default)]
struct Heard {
    made: Mutex<Vec<Emission>>,
    /// Answers that are not "done", for the next events.
    answers: Mutex<Vec<EmitReply>>,
    measured: Mutex<Vec<String>>,
}

impl Heard {
    fn made(&self) -> MutexGuard<'_, Vec<Emission>> {
        self.made.lock().unwrap()
    }

    /// The bodies and numbers of what was made in a delivery.
    fn numbers(&self) -> Vec<(String, u32)> {
        let made = self.made();
        made.iter()
            .map(|emission| {
                (String::from_utf8(emission.body.to_vec()).unwrap(), emission.origin.unwrap().nth)
            })
            .collect()
    }
}

impl PluginEmit for Heard {
    fn emit(&self, emission: Emission) -> std::pin::Pin<Box<dyn Future<Output = EmitReply> + Send + '_>> {
        Box::pin(async move {
            let mut made = self.made();
            // As the gateway's own: the same event under the same key is the one that is there.
            let event = |at: usize| EventId::from_bytes([u8::try_from(at + 1).unwrap(); 16]);
            if let Some(before) =
                emission.key.as_ref().and(made.iter().position(|before| *before == emission))
            {
                return EmitReply::Done { event: event(before), repeated: true };
            }
            made.push(emission);
            let done = EmitReply::Done { event: event(made.len()), repeated: false };
            self.answers.lock().unwrap().pop().unwrap_or(done)
        })
    }
}

impl PluginMetrics for Heard {
    fn measured(&self, metric: &DeclaredMetric, value: f64, labels: BTreeMap<String, String>) {
        let line = format!("{} {} {value} {labels:?}", metric.kind.as_str(), metric.name);
        self.measured.lock().unwrap().push(line);
    }

    fn lost(&self, measurements: u64) {
        self.measured.lock().unwrap().push(format!("lost {measurements}"));
    }
}

fn speaker(heard: &Arc<Heard>) -> InstanceConfig {
    InstanceConfig {
        emit: Some(Arc::clone(heard) as _),
        metrics: Some(Arc::clone(heard) as _),
        secrets: [("token".to_owned(), Secret::new("s3cret-token"))].into(),
        ..config(&SPEAKER, "")
    }
}

async fn message(instance: &Instance, body: &'static str) -> String {
    outcome(instance, body).await.message
}

#[tokio::test]
async fn a_plugin_makes_events_in_a_delivery() {
    let heard = Arc::default();
    let instance = Instance::start(speaker(&heard));
    assert_eq!(message(&instance, "emit page_opened 2").await, "0 0");
    let mut made = heard.made();
    made.sort_by(|a, b| a.body.cmp(&b.body));
    let [first, second] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!((first.kind.as_str(), first.subject.as_deref()), ("page_opened", Some("night run")));
    assert_eq!(first.origin, Some(Origin { event: EventId::from_bytes([7; 16]), hops: 0, nth: 0 }));
    assert_eq!((second.origin, &second.body[..]), (first.origin, &b"page 1"[..]));
    assert_eq!((&first.key, &first.ordering_key, &first.labels), (&None, &None, &BTreeMap::new()));
}

#[tokio::test]
async fn events_that_are_the_same_are_numbered_and_failed_ones_are_not() {
    let heard: Arc<Heard> = Arc::default();
    let instance = Instance::start(speaker(&heard));
    assert_eq!(message(&instance, "same page_opened 3").await, "0 0 0");
    let mut numbers = heard.numbers();
    numbers.sort();
    assert_eq!(numbers, [0, 1, 2].map(|nth| ("the same".to_owned(), nth)));
}

#[tokio::test]
async fn a_key_of_the_plugins_own_makes_one_event() {
    let heard = Arc::default();
    let instance = Instance::start(speaker(&heard));
    assert_eq!(message(&instance, "keyed page_opened 1").await, "0");
    assert_eq!(message(&instance, "keyed page_opened 1").await, "0r");
    assert_eq!(heard.made().len(), 1);
}

#[tokio::test]
async fn what_a_plugin_makes_before_it_crashes_it_makes_again_under_the_same_number() {
    let heard = Arc::default();
    let instance = Instance::start(speaker(&heard));
    let first = PluginDelivery { attempt: 1, ..delivery("crash page_opened 2") };
    assert_eq!(outcome_of(&instance, first).await.code, "plugin_crashed");
    let again = PluginDelivery { attempt: 2, ..delivery("crash page_opened 2") };
    assert_eq!(outcome_of(&instance, again).await.message, "0 0");
    let mut made = heard.made();
    assert_eq!(made.len(), 4);
    // Those of one attempt that nobody waited for in between come in any order.
    made[..2].sort_by(|a, b| a.body.cmp(&b.body));
    made[2..].sort_by(|a, b| a.body.cmp(&b.body));
    assert_eq!(&made[..2], &made[2..], "so that the gateway knows them");
}

#[tokio::test]
async fn events_outside_of_a_delivery_come_from_none() {
    let heard = Arc::default();
    let instance = Instance::start(speaker(&heard));
    assert_eq!(message(&instance, "loose page_closed 1").await, "0");
    assert_eq!(heard.made()[0].origin, None);
}

#[tokio::test]
async fn only_what_is_declared_and_granted_is_made() {
    let heard = Arc::default();
    let instance = Instance::start(speaker(&heard));
    assert_eq!(message(&instance, "emit page_lost 1").await, "-7");
    assert_eq!(
        message(&instance, "wrong").await,
        "large -6 labels -6 label -1 verdict -1 reserved -7 foreign -3 short -1 lines -1"
    );
    assert!(heard.made().is_empty());
    let without = Instance::start(InstanceConfig { emit: None, ..speaker(&heard) });
    assert_eq!(message(&without, "emit page_opened 1").await, "refused-2");
}

#[tokio::test]
async fn a_delivery_makes_only_so_many_and_a_flood_is_refused() {
    let heard = Arc::default();
    let instance = Instance::start(speaker(&heard));
    let flooded = message(&instance, "same page_opened 120").await;
    assert_eq!(flooded.matches("refused-7").count(), 20, "{flooded}");
    assert_eq!(heard.made().len(), 100);
    assert_eq!(
        message(&instance, "emit page_closed 1").await,
        "0",
        "the process lives, and the next delivery may"
    );
}

#[tokio::test]
async fn nothing_is_made_in_a_delivery_that_is_over() {
    let heard = Arc::default();
    let instance =
        Instance::start(InstanceConfig { destination: DestinationName::new("late"), ..speaker(&heard) });
    let log = Log::of("late");
    assert_eq!(message(&instance, "late").await, "done");
    instance.stop(Duration::from_secs(60)).await;
    assert!(log.text().contains("late: -3"), "{}", log.text());
    assert!(heard.made().is_empty());
}

#[tokio::test]
async fn secrets_are_taken_out_of_what_a_plugin_makes_and_measures() {
    let heard: Arc<Heard> = Arc::default();
    let page = Secret::new("the same");
    let config = InstanceConfig { secrets: [("token".to_owned(), page)].into(), ..speaker(&heard) };
    let instance = Instance::start(config);
    assert_eq!(message(&instance, "same page_opened 1").await, "0");
    assert_eq!(&heard.made()[0].body[..], b"***");
}

#[tokio::test]
async fn a_plugin_measures_what_it_has_declared() {
    let heard: Arc<Heard> = Arc::default();
    let instance = Instance::start(speaker(&heard));
    assert_eq!(
        message(&instance, "measure").await,
        "pages 0 open 0 took 0 unknown -7 other kind -7 no kind -1 negative -1 reserved -1 many -6"
    );
    assert_eq!(
        *heard.measured.lock().unwrap(),
        [r#"counter pages 1.5 {"team": "***"}"#, "gauge open -2 {}", "histogram took 0.25 {}"]
    );
}

#[tokio::test]
async fn a_plugin_that_asks_gets_more_time_within_the_bound() {
    let instance = Instance::start(speaker(&Arc::default()));
    message(&instance, "secret").await;
    let short = |body, max| PluginDelivery {
        time_limit: Duration::from_millis(150),
        time_limit_max: max,
        deadline: crate::clock::now().plus(Duration::from_millis(150)),
        ..delivery(body)
    };
    let long = Duration::from_secs(20);
    assert_eq!(outcome_of(&instance, short("extend 10000 400", long)).await.message, "0 later");
    // No more than the operator gives, and nothing where there is nothing to give.
    let bounded = short("extend 10000 2000", Duration::from_millis(300));
    assert_eq!(outcome_of(&instance, bounded).await.code, "timeout");
    let none = short("extend 10000 0", Duration::from_millis(150));
    assert_eq!(outcome_of(&instance, none).await.message, "-7 later");
}

#[tokio::test]
async fn secrets_change_without_a_restart_and_both_are_masked() {
    let instance = Instance::start(speaker(&Arc::default()));
    let pid = ready_pid(&instance).await;
    assert_eq!(message(&instance, "secret").await, "0 12 ***");
    rotated(&instance, [("token".to_owned(), Secret::new("another-secret"))].into(), "0 14 ***").await;
    assert_eq!(ready_pid(&instance).await, pid);
    // What it may not have any more, and what it was started with, stays masked.
    rotated(&instance, BTreeMap::new(), "-7 0").await;
    assert_eq!(ready_pid(&instance).await, pid);
}

/// Gives the plugin other secrets, and waits until it has them.
async fn rotated(instance: &Instance, secrets: BTreeMap<String, Secret>, expected: &str) {
    instance.rotate(secrets).await;
    let mut last = String::new();
    for _ in 0..1000 {
        last = message(instance, "secret").await;
        if last == expected {
            return;
        }
    }
    panic!("it has {last:?}");
}

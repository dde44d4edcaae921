//! A store that cannot be read for a while.

use std::{sync::atomic::Ordering, time::Duration};

use postroom_core::delivery::DeliveryState;

use super::{
    actor::{Scripted, fails},
    stage::Setup,
};

#[tokio::test(start_paused = true)]
async fn while_events_cannot_be_read_the_store_is_not_asked_without_end() {
    // Too few to open the breaker.
    let names = ["a1", "b1", "c1", "d1"];
    let mut script = Scripted::default();
    for name in names {
        script = script.first(name, [fails()]);
    }
    let mut stage = Setup::keep(script).start();
    stage.accept(&names).await;
    stage.seen(names.len()).await;
    for name in names {
        stage.until(name, DeliveryState::Retrying).await;
    }
    stage.memory().fails.store(true, Ordering::SeqCst);
    let before = stage.memory().event_reads.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(5 * 60)).await;
    let asked = stage.memory().event_reads.load(Ordering::SeqCst) - before;
    assert!((1..200).contains(&asked), "asked {asked} times in five minutes");
    stage.memory().fails.store(false, Ordering::SeqCst);
    let mut again = stage.seen(names.len()).await;
    again.sort_unstable();
    assert_eq!(again, names);
}

//! What becomes of deliveries when the gateway's side of a process goes away under them.

use tokio::runtime;

use super::*;
use crate::process::Ending;

#[test]
fn deliveries_of_a_conversation_that_is_dropped_come_back_and_nobody_is_to_blame() {
    let talks = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let process = talks.block_on(Process::start(&launch(&PLUGIN, "", Limits::default()))).unwrap();
    let waits = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    waits.block_on(async {
        let until = Instant::now() + Duration::from_secs(60);
        let (held, waiting) = (delivery("never"), delivery("ok"));
        let drop_it = async {
            while process.slots.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            talks.shutdown_background();
        };
        let (held_back, waiting_back, ()) = tokio::join!(
            process.deliver(&held, until, until),
            process.deliver(&waiting, until, until),
            drop_it,
        );
        let Some(Delivered::Outcome(outcome)) = held_back else { panic!("{held_back:?}") };
        assert_eq!((outcome.kind, &*outcome.code), (OutcomeKind::Retry, "plugin_crashed"));
        assert_eq!(process.ending_of(held.event.id), Some(Ending::ByGateway));
        assert_eq!(waiting_back, None, "it was never inside");
        assert!(matches!(process.exited().await, Exit::Killed(_)));
        assert_eq!(process.deliver(&waiting, until, until).await, None);
    });
}

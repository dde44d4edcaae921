//! What the end of a process says about the events that it held.

use postroom_core::{event::Event, id::EventId};

use super::*;
use crate::process::{Ending, pending::Holding};

fn event(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

/// A process that ends while it holds these events.
fn ended_with(events: &[u8], told_to_stop: bool) -> Process {
    ended_by(&Exit::Signal(6), events, told_to_stop)
}

fn ended_by(exit: &Exit, events: &[u8], told_to_stop: bool) -> Process {
    let (process, _sent) = played();
    process.stopping.store(told_to_stop, std::sync::atomic::Ordering::Relaxed);
    for number in events {
        let any = delivery("any");
        let event = Arc::new(Event { id: event(*number), ..(*any.event).clone() });
        let holding = Holding::of(&PluginDelivery { event, ..any }, Instant::now());
        let slot = Arc::clone(&process.slots).try_acquire_owned().unwrap();
        let in_flight = process.pending.add((*number).into(), holding, slot, &process.outgoing);
        assert!(in_flight.is_some());
    }
    process.pending.close(exit);
    process
}

#[tokio::test]
async fn every_event_that_a_process_held_when_it_ended_by_itself_is_known() {
    let process = ended_with(&[1, 2], false);
    let ending = Some(Ending::ByItself { alone: false, exit: Exit::Signal(6) });
    assert_eq!((process.ending_of(event(1)), process.ending_of(event(2))), (ending.clone(), ending));
    assert_eq!(process.ending_of(event(3)), None);
    let alone = Some(Ending::ByItself { alone: true, exit: Exit::Signal(6) });
    assert_eq!(ended_with(&[1], false).ending_of(event(1)), alone);
    assert_eq!(played().0.ending_of(event(1)), None, "it lives");
}

#[tokio::test]
async fn what_the_gateway_ends_is_told_apart() {
    assert_eq!(ended_with(&[1], true).ending_of(event(1)), Some(Ending::ByGateway));
    let killed = ended_with(&[1], false);
    killed.kill();
    assert_eq!(killed.ending_of(event(1)), Some(Ending::ByGateway));
}

/// A remote side that does not answer makes a plugin do that, whatever the event.
#[tokio::test]
async fn one_that_held_on_to_a_delivery_accuses_no_event() {
    let ended =
        |exit: fn(String) -> Exit| ended_by(&exit("it hung".to_owned()), &[1], false).ending_of(event(1));
    assert_eq!(ended(Exit::HeldOn), Some(Ending::ByGateway));
    assert!(matches!(ended(Exit::Killed), Some(Ending::ByItself { alone: true, .. })));
}

use super::*;
use crate::testing::Log;

/// Takes places until somebody has to wait, and lets one go then; gives all that is left.
async fn crowd(places: &mut Places) -> Vec<OwnedSemaphorePermit> {
    let mut taken = Vec::new();
    for _ in 0..places.max {
        taken.push(places.take().await);
    }
    let first = taken.remove(0);
    let (last, ()) = tokio::join!(places.take(), async { drop(first) });
    taken.push(last);
    taken
}

#[tokio::test]
async fn that_all_places_are_taken_is_told_once_a_while_with_the_limit_and_the_remedy() {
    let (log, _guard) = Log::start();
    let mut places = Places::new(3);
    let one = places.take().await;
    assert!(log.lines().is_empty(), "there is room");
    drop(one);
    for _ in 0..5 {
        drop(crowd(&mut places).await);
    }
    assert_eq!(
        log.lines(),
        ["WARN as many connections are open as may be, new clients wait until one ends connections_max=3 \
          remedy=\"raise the limit on open files: LimitNOFILE of the service, or ulimit -n\""]
    );
    places.say_so(Instant::now() + SAID_AGAIN_AFTER);
    assert_eq!(log.lines().len(), 1, "it is crowded still, or again");
}

#[tokio::test]
async fn where_more_files_would_not_help_they_are_not_named() {
    let (log, _guard) = Log::start();
    drop(crowd(&mut Places::new(CONNECTIONS_MAX)).await);
    let [line] = &log.lines()[..] else { panic!("one line") };
    assert!(line.contains("connections_max=16384") && line.contains("a proxy in front"), "{line}");
}

use super::*;
use crate::testing::Log;

async fn gather() {
    tokio::time::sleep(GATHERED_FOR + Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_is_told_at_once_and_those_that_follow_with_their_number() {
    let (log, _guard) = Log::start();
    let refusals = Refusals::default();
    for _ in 0..3 {
        refusals.tell(None, "no token");
    }
    assert_eq!(log.lines(), ["webhook refused count=1 reason=\"no token\""]);
    gather().await;
    assert_eq!(log.lines(), ["webhook refused count=2 reason=\"no token\""]);
    gather().await;
    assert!(log.lines().is_empty(), "there was none since");
    refusals.tell(None, "no token");
    assert_eq!(log.lines(), ["webhook refused count=1 reason=\"no token\""]);
}

#[tokio::test(start_paused = true)]
async fn each_source_and_each_reason_is_told_of() {
    let (log, _guard) = Log::start();
    let refusals = Refusals::default();
    let (acme, other) = (SourceName::new("acme"), SourceName::new("other"));
    for (source, reason) in
        [(&acme, "too large"), (&other, "too large"), (&acme, "too slow"), (&acme, "too large")]
    {
        refusals.tell(Some(source), reason);
    }
    assert_eq!(
        log.lines(),
        [
            "webhook refused source=acme count=1 reason=\"too large\"",
            "webhook refused source=other count=1 reason=\"too large\"",
            "webhook refused source=acme count=1 reason=\"too slow\"",
        ]
    );
    gather().await;
    assert_eq!(log.lines(), ["webhook refused source=acme count=1 reason=\"too large\""]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_told_yet_is_told_at_the_end() {
    let (log, _guard) = Log::start();
    let refusals = Refusals::default();
    refusals.tell(None, "no token");
    refusals.tell(None, "no token");
    log.lines();
    drop(refusals);
    assert_eq!(log.lines(), ["webhook refused count=1 reason=\"no token\""]);
}

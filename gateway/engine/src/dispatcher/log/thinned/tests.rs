use super::*;
use crate::testing::{self, Log};

fn failures() -> Thinned {
    Thinned::new("failures", Steady::start(&testing::clock()))
}

fn tell(lines: &Thinned, count: usize) {
    for number in 1..=count {
        lines.tell(|left_out| tracing::warn!(number, left_out, "it failed"));
    }
}

async fn wait(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[tokio::test(start_paused = true)]
async fn lines_say_nothing_of_those_left_out_when_there_are_none() {
    let (log, _guard) = Log::start();
    tell(&failures(), 2);
    assert_eq!(log.lines(), ["it failed number=1", "it failed number=2"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_burst_has_left_out_is_told_when_it_ends() {
    let (log, _guard) = Log::start();
    let lines = failures();
    tell(&lines, 57);
    assert_eq!(log.lines().len(), 10);
    wait(QUIET_FOR * 3).await;
    assert_eq!(log.lines(), ["lines were left out of the log left_out=47 about=\"failures\""]);
    wait(QUIET_FOR * 60).await;
    assert!(log.lines().is_empty(), "it is told once");
    tell(&lines, 11);
    wait(QUIET_FOR * 3).await;
    assert_eq!(log.lines().len(), 11, "the next burst is told of too");
}

#[tokio::test(start_paused = true)]
async fn while_a_burst_goes_on_its_lines_tell_what_is_left_out() {
    let (log, _guard) = Log::start();
    let lines = failures();
    for _ in 0..30 {
        tell(&lines, 20);
        wait(QUIET_FOR / 2).await;
    }
    assert!(log.lines().iter().all(|line| line.starts_with("it failed")));
    wait(QUIET_FOR * 3).await;
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_burst_whose_rest_a_line_has_told_needs_no_other() {
    let (log, _guard) = Log::start();
    let lines = failures();
    tell(&lines, 12);
    log.lines();
    wait(QUIET_FOR / 2).await;
    tell(&lines, 1);
    assert_eq!(log.lines(), ["it failed number=1 left_out=2"]);
    wait(QUIET_FOR * 3).await;
    assert!(log.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_told_yet_is_told_at_the_end() {
    let (log, _guard) = Log::start();
    let lines = failures();
    tell(&lines, 11);
    log.lines();
    drop(lines);
    assert_eq!(log.lines(), ["lines were left out of the log left_out=1 about=\"failures\""]);
}

//! A short form of `cargo xtask chaos`, which see.

use std::time::Duration;

use postroom_tests::chaos::{self, Settings};

use crate::support::program;

/// Seeds of worlds that together meet a kill, a power cut, a failed sync, a full disk and a bad target within seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_overtakes_while_everything_goes_wrong() {
    let settings = Settings { seed: 1, length: Duration::from_secs(15) };
    let mut said = Vec::new();
    let tally = chaos::run(&program(), settings, |line| said.push(line.to_owned())).await;
    assert!(tally.succeeded(), "{}\n{tally}", said.join("\n"));
}

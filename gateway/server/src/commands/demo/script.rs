//! What the demo plays: one of each webhook, and a monitor that fails and recovers.

use crate::commands::send::bodies::{self, Spelling};

const MONITOR: &str = "Checkout, every 5 minutes";

/// One webhook.
pub(super) struct Step {
    /// What it is, for the table.
    pub(super) what: &'static str,
    pub(super) body: Vec<u8>,
}

pub(super) fn steps() -> Vec<Step> {
    let run = |failing, number| bodies::monitor_run(MONITOR, failing, Spelling::Documented, number);
    let step = |what, body| Step { what, body };
    vec![
        step("a monitor run, all tests pass", run(false, 1)),
        step("the next run, two tests fail", run(true, 2)),
        step("the run after it, all pass again", run(false, 3)),
        step("a collection, first backup", bodies::collection_backup(1)),
        step("the same collection, unchanged", bodies::collection_backup(1)),
        step("the collection after an edit", bodies::collection_backup(2)),
        step("an entry of the activity feed", bodies::activity(1)),
        step("something Postman never sends", br#"{"hello":"world"}"#.to_vec()),
    ]
}

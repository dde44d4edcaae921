//! What failed in a run, where somebody knows it. Postman's webhook only counts.

use std::{collections::BTreeMap, fmt, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream};
use postroom_core::monitor::{Identity, Run};
use tokio::time::{Instant, timeout_at};

use super::Enrich;

/// A test or request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The name of the test, or of what else went wrong.
    pub name: String,
    /// The name of the request.
    pub request: Option<String>,
    /// What was wrong.
    pub error: Option<String>,
}

/// Knows what failed in a run.
pub trait Failures: fmt::Debug + Send + Sync {
    /// What failed in `run` of `monitor`. `None` when it cannot be found, which is not unusual. May be dropped at any
    /// point, when nobody waits for it any more.
    fn of<'a>(&'a self, monitor: &'a Identity, run: &'a Run) -> BoxFuture<'a, Option<Vec<Failure>>>;
}

/// The place of a run among those that are asked for, and what failed in it.
type Question<'a> = BoxFuture<'a, (usize, Option<Vec<Failure>>)>;

/// Questions that are open at once.
const ASKED_AT_ONCE: usize = 8;
/// Failures that are told of one run.
const FAILURES_MAX: usize = 50;
/// After a question that nobody answered in time, nobody is asked for so long: what is told waits once, not each time.
const REST: Duration = Duration::from_secs(60);

/// Asks, and does not wait for long.
#[derive(Debug, Default)]
pub(super) struct Asking {
    rest_until: Option<Instant>,
}

impl Asking {
    /// What failed in each of `runs`, by their places. What is not answered in time is left out.
    pub(super) async fn ask(
        &mut self,
        enrich: Option<&Enrich>,
        runs: &[(&Identity, &Run)],
    ) -> BTreeMap<usize, Vec<Failure>> {
        let mut answers = BTreeMap::new();
        let now = Instant::now();
        let Some(Enrich { failures, wait }) = enrich.filter(|enrich| !enrich.wait.is_zero()) else {
            return answers;
        };
        if runs.is_empty() || self.rest_until.is_some_and(|until| now < until) {
            return answers;
        }
        let questions: Vec<Question<'_>> = runs
            .iter()
            .enumerate()
            .map(|(place, (monitor, run))| {
                let answer = failures.of(monitor, run);
                Box::pin(async move { (place, answer.await) }) as Question<'_>
            })
            .collect();
        let mut answered = stream::iter(questions).buffer_unordered(ASKED_AT_ONCE);
        loop {
            match timeout_at(now + *wait, answered.next()).await {
                Ok(Some((place, answer))) => {
                    let answer = answer.filter(|failures| !failures.is_empty());
                    answers.extend(answer.map(|mut failures| {
                        failures.truncate(FAILURES_MAX);
                        (place, failures)
                    }));
                }
                Ok(None) => return answers,
                Err(_) => {
                    self.rest_until = Some(Instant::now() + REST);
                    tracing::warn!(
                        wait_s = wait.as_secs_f64(),
                        "what failed in a run could not be found out in time, incidents are told without it for a minute"
                    );
                    return answers;
                }
            }
        }
    }
}

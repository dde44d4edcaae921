//! Postman's API, as far as it says what failed in the runs of monitors.

use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use serde_json::{Value, json};

use super::{Reply, Request, Rules};

/// Shows the runs that it was told of. Refuses every other call, and everybody without the key. A clone is the same.
#[derive(Debug, Clone)]
pub struct PostmanApi {
    key: String,
    runs: Arc<Mutex<Vec<Run>>>,
}

#[derive(Debug, Clone)]
struct Run {
    monitor: String,
    finished_at: String,
    failures: Vec<(String, String)>,
}

impl PostmanApi {
    /// An API that takes this key, without a run yet.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), runs: Arc::default() }
    }

    /// A run of a monitor ends, RFC 3339, in which these tests fail, each with why.
    pub fn run(&self, monitor: &str, finished_at: &str, failures: &[(&str, &str)]) {
        let failures =
            failures.iter().map(|(test, error)| ((*test).to_owned(), (*error).to_owned())).collect();
        let run = Run { monitor: monitor.to_owned(), finished_at: finished_at.to_owned(), failures };
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).push(run);
    }

    fn find(&self, path: &[&str]) -> Option<Value> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |monitor: &str| {
            let runs = runs.iter().enumerate().filter(|(_, run)| run.monitor == monitor);
            let runs: Vec<_> = runs.map(|(number, run)| (format!("0b7c2c5e-{number:012}"), run)).collect();
            (!runs.is_empty()).then_some(runs)
        };
        let one = |monitor: &str, id: &str| of(monitor)?.into_iter().find(|(own, _)| own == id);
        match path {
            ["monitors", monitor, "executions"] => {
                let runs = of(monitor)?.into_iter().rev();
                let executions: Vec<_> = runs
                    .map(|(id, run)| json!({"id": id, "finishedAt": run.finished_at, "stats": run.stats()}))
                    .collect();
                Some(json!({"executions": executions, "meta": {"nextCursor": null}}))
            }
            ["monitors", monitor, "executions", id, "runs"] => {
                let (id, run) = one(monitor, id)?;
                Some(json!({"runs": [{"id": id, "region": "us-east", "stats": run.stats()}]}))
            }
            ["monitors", monitor, "runs", id, "results"] => Some(one(monitor, id)?.1.results()),
            _ => None,
        }
    }
}

impl Run {
    fn stats(&self) -> Value {
        json!({"assertions": {"total": self.failures.len() + 1, "failed": self.failures.len()}, "requests": {"total": 1}})
    }

    fn results(&self) -> Value {
        let begins = json!({"event": "beforeItem", "data": {"item": {"id": "1", "name": "Pay"}}});
        let passed = json!({"event": "assertion", "data": {"assertion": "Is there", "error": null}});
        let failed = self.failures.iter().map(|(test, error)| {
            let error = json!({"name": "AssertionError", "message": error});
            json!({"event": "assertion", "data": {"assertion": test, "error": error}})
        });
        let logs: Vec<_> = [begins, passed].into_iter().chain(failed).collect();
        json!({"results": {"stats": self.stats(), "logs": logs}})
    }
}

impl Rules for PostmanApi {
    fn answer(&self, request: &Request) -> Reply {
        let error =
            |status, name: &str| Reply::json(status, &json!({"error": {"name": name, "message": name}}));
        let reply = if request.header("x-api-key") != self.key {
            error(401, "AuthenticationError")
        } else if request.method != Method::GET || !request.body.is_empty() {
            error(405, "methodNotAllowed")
        } else {
            let path: Vec<&str> = request.target.trim_start_matches('/').split('/').collect();
            self.find(&path)
                .map_or_else(|| error(404, "instanceNotFoundError"), |body| Reply::json(200, &body))
        };
        reply
            .header("ratelimit-limit", "300")
            .header("ratelimit-remaining", "299")
            .header("ratelimit-reset", "60")
    }
}

//! What a gateway writes to its log, line by line, while it runs.

use std::{
    io::{BufRead as _, BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use serde_json::Value;
use tokio::{sync::watch, time};

use super::PATIENCE;

/// The log of a gateway. A clone is another handle to the same log.
#[derive(Debug, Clone, Default)]
pub struct Logs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Vec<String>>,
    /// Announces new lines and the end of the log.
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    lines: usize,
    ended: bool,
}

impl Logs {
    /// Reads lines from `pipe` until it ends. The thread ends with the process that writes.
    pub(super) fn collect(pipe: impl Read + Send + 'static) -> Self {
        let logs = Self::default();
        let Self(shared) = logs.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let lines = shared.push(String::from_utf8_lossy(&line).into_owned());
                shared.progress.send_replace(Progress { lines, ended: false });
            }
            shared.progress.send_modify(|progress| progress.ended = true);
        });
        logs
    }

    /// Everything written so far, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lines().clone()
    }

    /// Waits for a line with this message, and gives its JSON; lines of the past count.
    ///
    /// # Panics
    /// When the log ends without it, or it does not come for [`PATIENCE`].
    pub async fn message(&self, message: &str) -> Value {
        let mut progress = self.0.progress.subscribe();
        let mut read = 0;
        let search = async {
            loop {
                let seen = *progress.borrow_and_update();
                let found =
                    self.0.lines()[read..seen.lines].iter().find_map(|line| has_message(line, message));
                read = seen.lines;
                match found {
                    Some(line) => return Some(line),
                    None if seen.ended => return None,
                    None => progress.changed().await.ok()?,
                }
            }
        };
        match time::timeout(PATIENCE, search).await {
            Ok(Some(line)) => line,
            Ok(None) => panic!("the gateway ended without logging \"{message}\"; its log:\n{}", self.tail()),
            Err(_) => panic!("the gateway did not log \"{message}\"; its log:\n{}", self.tail()),
        }
    }

    /// Waits until the log has ended, which it does with the process.
    pub(super) async fn ended(&self) {
        let mut progress = self.0.progress.subscribe();
        let ended = progress.wait_for(|progress| progress.ended);
        let in_time = time::timeout(PATIENCE, ended).await;
        assert!(in_time.is_ok(), "something of the gateway outlives it and holds its log open");
    }

    /// The last lines, for a person who looks at a failed test. A test that waits asks the API again and again; that is
    /// left out.
    #[must_use]
    pub fn tail(&self) -> String {
        const LINES: usize = 40;
        let lines = self.0.lines();
        let telling: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| !line.contains("request answered")).collect();
        telling[telling.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Shared {
    fn push(&self, line: String) -> usize {
        let mut lines = self.lines();
        lines.push(line);
        lines.len()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_message(line: &str, message: &str) -> Option<Value> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == message).then_some(line)
}

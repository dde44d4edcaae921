//! What the process prints, line by line in the gateway's log.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{ChildStderr, ChildStdout},
    task::JoinSet,
    time::timeout,
};

use crate::plugin_log::{MESSAGE_BYTES_MAX, PluginLog};

/// Longer lines are cut. In pieces, half a secret could stand in each of two, and neither would be known for it.
const LINE_BYTES_MAX: u64 = MESSAGE_BYTES_MAX as u64;
/// How long output may still come after the process has ended: a process that it started may hold the pipe.
const LAST_OUTPUT_LIMIT: Duration = Duration::from_secs(1);

/// The two streams being read.
#[derive(Debug)]
pub(super) struct Output(JoinSet<()>);

/// Reads both streams until they end.
pub(super) fn capture(stdout: ChildStdout, stderr: ChildStderr, log: &Arc<PluginLog>) -> Output {
    let mut readers = JoinSet::new();
    readers.spawn(copy_lines(stdout, "stdout", Arc::clone(log)));
    readers.spawn(copy_lines(stderr, "stderr", Arc::clone(log)));
    Output(readers)
}

impl Output {
    /// Waits for the last lines of a process that has ended.
    pub(super) async fn finish(&mut self) {
        let all_read = async { while self.0.join_next().await.is_some() {} };
        if timeout(LAST_OUTPUT_LIMIT, all_read).await.is_err() {
            self.0.abort_all();
        }
    }
}

async fn copy_lines(stream: impl AsyncRead + Unpin, name: &'static str, log: Arc<PluginLog>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    let mut within_line = false;
    // A pipe that cannot be read is at its end as far as the log goes.
    while let Ok(1..) = (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await {
        if !within_line {
            log.line(name, &line);
        }
        within_line = !line.ends_with(b"\n");
        line.clear();
    }
}

#[cfg(test)]
mod tests;

//! The story that every client of docs/clients.md tells: a program in some language, which is let loose on a gateway.

mod later;
mod proxy;

use std::{ffi::OsStr, time::Duration};

use proxy::Proxy;
use tokio::{process::Command, time::timeout};

use crate::{
    doubles::{Double, Receiver},
    harness::{Config, Program, TestGateway, random_token},
};

/// How long a program may take for the story.
const PATIENCE: Duration = Duration::from_secs(600);

/// A gateway with what the story needs: a source, a destination that forwards, one that keeps copies, and three keys.
#[derive(Debug)]
pub struct Stage {
    gateway: TestGateway,
    viewer: String,
    _archive: Double,
}

impl Stage {
    /// Starts the gateway.
    pub async fn start(program: &Program) -> Self {
        let (archive, viewer) = (Double::start(Receiver), random_token());
        let config = Config::new()
            // Programs that guess keys are among those that come.
            .section("api", "failures_per_minute = 1000000")
            .key("viewer", "viewer", &viewer)
            .forward("archive", &archive.url("/"), "")
            .backup("copies", "copies")
            .route("runs", "kinds = [\"monitor_run\"]", "archive")
            .route("backups", "kinds = [\"collection_backup\"]", "copies");
        Self { gateway: TestGateway::start(program, config).await, viewer, _archive: archive }
    }

    /// Has `program` with `arguments` tell the story, and then read from a gateway of tomorrow.
    ///
    /// # Errors
    /// What the program says, when it does not end well.
    pub async fn tell(&self, program: &OsStr, arguments: &[&OsStr]) -> Result<(), String> {
        let tomorrow = Proxy::start(self.gateway.client().clone()).await;
        for (chapter, url) in [(None, self.gateway.client().url("")), (Some("tomorrow"), tomorrow.url())] {
            let mut story = Command::new(program);
            story
                .args(arguments)
                .args(chapter)
                .env("POSTROOM_URL", url)
                .env("POSTROOM_KEY", self.gateway.config().api_key())
                .env("POSTROOM_VIEWER_KEY", &self.viewer)
                .env("POSTROOM_SOURCE_TOKEN", self.gateway.config().token())
                .kill_on_drop(true);
            run(story).await.map_err(|fault| format!("{}: {fault}", chapter.unwrap_or("today")))?;
        }
        Ok(())
    }
}

async fn run(mut program: Command) -> Result<(), String> {
    let output = timeout(PATIENCE, program.output()).await;
    let output = output.map_err(|_| format!("not done after {PATIENCE:?}"))?;
    let output = output.map_err(|error| format!("cannot be run: {error}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let said = format!("{}\n{}", said(&output.stdout), said(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(format!("{}: {}", output.status, said.trim())) }
}

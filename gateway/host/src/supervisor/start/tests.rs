use std::{fs, future::pending, os::unix::fs::PermissionsExt as _, path::Path};

use postroom_core::id::DestinationName;
use serde_json::json;
use tokio::sync::Notify;

use super::*;
use crate::{
    inspect::inspect,
    plugin_state::{PluginState, StateOperation, StateReply},
    process::Limits,
    program::Program,
    sandbox::{Sandbox, SandboxMode},
    testing::{PLUGIN, gone, program_file},
};

/// Answers nothing, and tells when it was asked.
#[derive(Debug, Default)]
struct Silent(Notify);

impl PluginState for Silent {
    fn run(&self, _: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>> {
        self.0.notify_one();
        Box::pin(pending())
    }
}

/// The next start of a plugin whose process says in a file which one it is.
fn launch(folder: &Path, state: &Arc<Silent>) -> Launch {
    let program = folder.join("program");
    let script =
        format!("#!/bin/sh\necho $$ > {}/pid\nexec {} \"$@\"\n", folder.display(), program_file().display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Launch {
        destination: DestinationName::new("test"),
        plugin: inspect(&PLUGIN.path).unwrap(),
        config: json!({ "mode": "state-create" }),
        secrets: [].into(),
        mask: Arc::default(),
        state: Some(Arc::clone(state) as _),
        emit: None,
        metrics: None,
        program: Program::File(program),
        sandbox: Sandbox { mode: SandboxMode::Off, ..Sandbox::default() },
        sealed: None,
        left_out: [].into(),
        concurrency: 1,
        drain: Duration::from_secs(60),
        limits: Limits { state: Duration::from_secs(60), ..Limits::default() },
    }
}

#[tokio::test]
async fn a_process_that_is_to_relieve_another_is_ended_when_there_is_none_to_relieve_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::<Silent>::default();
    let mut start = Start::to_relieve(launch(folder.path(), &state), None);
    tokio::select! {
        _ = ended(Some(&mut start)) => panic!("it is not ready"),
        () = state.0.notified() => {}
    }
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    let pid = pid.trim().parse().unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists(), "it is half way");
    assert!(start.with_none_serving().is_none());
    gone(pid).await;
}

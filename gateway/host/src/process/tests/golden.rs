//! Every released minor of the ABI lives on: a plugin that was compiled for it runs on this gateway, and a plugin of today
//! runs on a gateway of then or says why not. `sdk/abi/golden` keeps, for each minor, the header of then, a plugin and a
//! host; they are compiled here, against that header alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::time::Instant;

use super::{Delivered, Duration, Exit, Launch, Limits, Process, json, launch_file};
use crate::{
    digest::Digest,
    inspect::inspect,
    plugin_state::MemoryState,
    testing::{Log, compile_to, delivery},
};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/abi/golden");
const HELLO: &str = include_str!("../../../../../sdk/c/examples/hello.c");
const SCRIPTED: &str = include_str!("../../testing/scripted.c");
const BROKEN: &str = include_str!("../../../../../tests/faulty/broken.c");

/// The folders of all released minors.
fn released() -> Vec<PathBuf> {
    let folders: Vec<_> = fs::read_dir(GOLDEN).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!folders.is_empty());
    folders
}

/// What a minor is called: `1.0`.
fn name(golden: &Path) -> &str {
    golden.file_name().unwrap().to_str().unwrap()
}

/// Compiles a file of a released minor, with the header of then beside it: that one is found first.
fn compile_golden(golden: &Path, file: &str, to: &str, arguments: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden.join("postroom_plugin.h"), folder.path().join("postroom_plugin.h")).unwrap();
    let compiled = folder.path().join(to);
    compile_to(&compiled, &fs::read_to_string(golden.join(file)).unwrap(), arguments);
    (folder, compiled)
}

/// Has a host of then load a plugin.
fn host(golden: &Path, plugin: &Path) -> Output {
    let (_folder, host) = compile_golden(golden, "host.c", "host", &["-ldl", "-pthread"]);
    Command::new(host).arg(plugin).arg("{}").output().unwrap()
}

#[test]
fn what_was_released_is_not_changed() {
    for golden in released() {
        let sums = fs::read_to_string(golden.join("SHA256SUMS")).unwrap();
        let mut files = 0;
        for (sum, file) in sums.lines().filter_map(|line| line.split_once("  ")) {
            let bytes = fs::read(golden.join(file)).unwrap();
            let found = Digest::from(<[u8; 32]>::from(Sha256::digest(&bytes)));
            assert_eq!(found.to_string(), sum, "{file} of {}", name(&golden));
            files += 1;
        }
        assert_eq!(files, fs::read_dir(&golden).unwrap().count() - 1, "every file but the sums has its sum");
    }
}

#[tokio::test]
async fn a_plugin_of_every_released_minor_runs_here() {
    for golden in released() {
        let (_folder, library) = compile_golden(&golden, "plugin.c", "libgolden.so", &["-shared", "-fPIC"]);
        let minor = name(&golden);
        assert_eq!(inspect(&library).unwrap().manifest.abi.to_string(), minor);
        let log = Log::of("golden");
        let mut launch = launch_file(&library, "", Limits::default());
        launch.destination = postroom_core::id::DestinationName::new("golden");
        launch.secrets = [("token".to_owned(), postroom_core::secret::Secret::new("s3cret"))].into();
        launch.state = Some(Arc::new(MemoryState::default()));
        launch.concurrency = 4;
        runs(&launch, minor).await;
        let log = log.text();
        for line in ["created", "delivering", "cancelled", "drained", "destroyed"] {
            assert!(log.contains(line), "{minor} has not {line}: {log}");
        }
        let refused = Launch { config: json!({ "refuse": true }), ..launch };
        let refused = Process::start(&refused).await.unwrap_err().to_string();
        assert!(refused.contains("/refuse") && refused.contains("is there"), "{refused}");
    }
}

/// Has the plugin do all that it can.
async fn runs(launch: &Launch, minor: &str) {
    let process = Process::start(launch).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let Some(Delivered::Outcome(outcome)) = process.deliver(&delivery("{}"), until, until).await else {
        panic!("{minor} does not deliver")
    };
    let met = "host 1 event 1 kind monitor_run attempt 2 body 2 secret 0 clock 1 ext 0 state 0";
    assert!(outcome.message.starts_with(minor) && outcome.message.ends_with(met), "{}", outcome.message);
    assert_eq!(outcome.record_json.as_deref(), Some(r#"{"refs":[{"system":"golden","id":"7"}]}"#));
    assert_eq!(process.deliver(&delivery("busy"), until, until).await, Some(Delivered::NotAccepted));
    // Held until its time is up: then the plugin is told, and lets go.
    let soon = Instant::now() + Duration::from_millis(20);
    let Some(Delivered::Outcome(late)) = process.deliver(&delivery("hold"), until, soon).await else {
        panic!("{minor} was not asked to let go")
    };
    assert_eq!(late.code, "timeout");
    process.stop(Duration::from_secs(60)).await;
    assert_eq!(process.exited().await, Exit::Code(0));
}

#[test]
fn a_plugin_of_today_runs_on_a_gateway_of_every_released_minor() {
    for golden in released() {
        for source in [HELLO, SCRIPTED, BROKEN] {
            let folder = tempfile::tempdir().unwrap();
            let library = folder.path().join("libtoday.so");
            compile_to(&library, source, &["-shared", "-fPIC", "-pthread", "-DFLAGS=0", "-DREQUIRED_CAPS=0"]);
            let Output { status, stdout, .. } = host(&golden, &library);
            let said = String::from_utf8_lossy(&stdout);
            assert!(status.success() && said.contains("outcome 1 "), "{}: {status} {said}", name(&golden));
        }
    }
}

#[test]
fn a_plugin_that_cannot_do_with_an_older_gateway_says_so() {
    for golden in released() {
        let entry = "(void)minor; (void)caps; (void)err;";
        let refuses = "if (minor < 99) { memcpy(err->ptr, \"needs 1.99\", 10); err->len = 10; return 0; }";
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libtoday.so");
        let source = format!("#include <string.h>\n{}", HELLO.replace(entry, refuses));
        compile_to(&library, &source, &["-shared", "-fPIC"]);
        let said = host(&golden, &library);
        assert_eq!(said.status.code(), Some(3));
        assert_eq!(String::from_utf8_lossy(&said.stdout), "refused: needs 1.99\n");
        compile_to(&library, &HELLO.replace("POSTROOM_CAP_LOG,", "1ull << 63,"), &["-shared", "-fPIC"]);
        let said = host(&golden, &library);
        assert_eq!(said.status.code(), Some(3));
        assert_eq!(
            String::from_utf8_lossy(&said.stdout),
            "refused: it needs capabilities 0x8000000000000000\n"
        );
    }
}

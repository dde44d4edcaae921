//! What the tests of this crate share: plugins in C, compiled when a test asks for them.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use postroom_core::{
    event::{Event, Facts, Kind, Verdict},
    id::{EventId, SourceName},
};
use rustix::{
    io::Errno,
    process::{Pid, WaitId, WaitIdOptions, waitid},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    body::PluginBody,
    clock,
    delivery::PluginDelivery,
    offer::Offer,
    program::Program,
    wire::{Frame, Tail, ToChild, take_frame},
};

const HEADERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/c");
const SCRIPTED: &str = include_str!("testing/scripted.c");

/// The plugin of `scripted.c`.
pub(crate) static PLUGIN: LazyLock<Compiled> = LazyLock::new(|| scripted("0", "POSTROOM_CAP_LOG"));

/// A compiled library, deleted when this is dropped.
pub(crate) struct Compiled {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

/// The plugin of `scripted.c` with these flags and required capabilities.
pub(crate) fn scripted(flags: &str, required_caps: &str) -> Compiled {
    let arguments = [format!("-DFLAGS={flags}"), format!("-DREQUIRED_CAPS={required_caps}")];
    compile(SCRIPTED, &["-shared", "-fPIC", &arguments[0], &arguments[1]])
}

/// Puts another build of `scripted.c` in the place of a file.
pub(crate) fn rebuild(path: &Path, id: &str, version: &str) {
    let manifest =
        |id, version| format!(r#"\"id\":\"{id}\",\"name\":\"Scripted\",\"version\":\"{version}\""#);
    let source = SCRIPTED.replace(&manifest("scripted", "1.0.0"), &manifest(id, version));
    let beside = path.with_extension("new");
    compile_to(&beside, &source, &["-shared", "-fPIC", "-DFLAGS=0", "-DREQUIRED_CAPS=0"]);
    std::fs::rename(beside, path).unwrap();
}

/// The binary that plugin processes are started from: cargo builds the examples of a crate before it runs its tests,
/// into a folder beside theirs.
pub(crate) fn program() -> Program {
    Program::File(program_file())
}

/// The file of [`program`].
pub(crate) fn program_file() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/plugin-host");
    assert!(program.exists(), "{} is missing: cargo build -p postroom-host --examples", program.display());
    program
}

/// Compiles C as `libplugin.so`.
#[track_caller]
pub(crate) fn compile(source: &str, arguments: &[&str]) -> Compiled {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libplugin.so");
    compile_to(&path, source, arguments);
    Compiled { _folder: folder, path }
}

/// Compiles C to this file.
#[track_caller]
pub(crate) fn compile_to(path: &Path, source: &str, arguments: &[&str]) {
    let code = path.with_extension("c");
    std::fs::write(&code, source).unwrap();
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args(["-std=gnu11", "-fvisibility=hidden", "-I", HEADERS])
        .args(arguments)
        .arg("-o")
        .args([path, &code])
        .output()
        .expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::remove_file(code).unwrap();
}

/// Source of a plugin that has this manifest, and functions that are never called.
pub(crate) fn source_with_manifest(manifest: &str) -> String {
    format!(
        "#include \"postroom_plugin.h\"\n\
         const char postroom_manifest_v1[] POSTROOM_MANIFEST = \"{}\";\n\
         POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e)\n\
         {{ (void)m; (void)c; (void)e; return 0; }}\n",
        manifest.replace('"', "\\\"")
    )
}

/// A good manifest with this id and version.
pub(crate) fn manifest(id: &str, version: &str) -> String {
    format!(r#"{{"manifest":1,"id":"{id}","name":"Test","version":"{version}","abi":"1.0","kinds":["*"]}}"#)
}

/// A delivery with this body and a minute to go.
/// Waits until a child of this process has ended; whoever reaps it still can.
pub(crate) async fn gone(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let ended = tokio::task::spawn_blocking(move || waitid(WaitId::Pid(pid), options)).await.unwrap();
    assert!(matches!(ended, Ok(_) | Err(Errno::CHILD)), "{ended:?}");
}

pub(crate) fn delivery(body: &'static str) -> PluginDelivery {
    delivery_of(PluginBody::Bytes(Bytes::from_static(body.as_bytes())))
}

/// A delivery whose body is a file with these bytes, which has no name any more.
pub(crate) fn file_delivery(body: &[u8]) -> PluginDelivery {
    delivery_of(PluginBody::File { file: Arc::new(read_only(body)), bytes: body.len() as u64 })
}

/// A file with these bytes, open for reading only.
pub(crate) fn read_only(bytes: &[u8]) -> File {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, bytes).unwrap();
    File::open(&file).unwrap()
}

/// The bytes of a frame that brings no descriptor, without its length.
pub(crate) fn bytes_of(frame: Frame) -> Bytes {
    let mut bytes = frame.head;
    if let Tail::Bytes(tail) = frame.tail {
        bytes.extend_from_slice(&tail);
    }
    only_frame(bytes)
}

/// The one frame in `bytes`, without its length.
#[track_caller]
pub(crate) fn only_frame(mut bytes: BytesMut) -> Bytes {
    let frame = take_frame(&mut bytes, usize::MAX).unwrap().unwrap();
    assert!(bytes.is_empty());
    frame
}

/// The delivery as the child gets it.
pub(crate) fn offer(token: u64, delivery: &PluginDelivery) -> Offer {
    match ToChild::decode(bytes_of(Frame::deliver(token, delivery))) {
        Ok(ToChild::Deliver(offer) | ToChild::DeliverFile { offer, .. }) => *offer,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn delivery_of(body: PluginBody) -> PluginDelivery {
    let time_limit = Duration::from_secs(60);
    let now = clock::now();
    let event = Event {
        id: EventId::from_bytes([7; 16]),
        received_at: now,
        source: SourceName::new("acme"),
        kind: Kind::MonitorRun,
        subject: Some("monitor-1".to_owned()),
        ordering_key: "key-1".into(),
        verdict: Some(Verdict::Failed),
        facts: Facts::default(),
        note: None,
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: Some("application/json".to_owned()),
        hops: 0,
        body_bytes: match &body {
            PluginBody::Bytes(body) => body.len() as u64,
            PluginBody::File { bytes, .. } => *bytes,
        },
    };
    PluginDelivery {
        event: Arc::new(event),
        body,
        attempt: 2,
        deadline: now.plus(time_limit),
        time_limit,
        time_limit_max: time_limit,
        cancel: CancellationToken::new(),
    }
}

/// What is logged about one destination.
pub(crate) struct Log(&'static str);

/// The log of all tests. One for the process: a subscriber of one thread misses events whose place in the code was first
/// met by a thread without one.
static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || LogWriter(Arc::clone(&writer))).init();
    log
});

impl Log {
    /// Logs from now on.
    pub(crate) fn of(destination: &'static str) -> Self {
        LazyLock::force(&LOG);
        Self(destination)
    }

    pub(crate) fn text(&self) -> String {
        let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
        let mine = format!("destination=\"{}\"", self.0);
        log.lines().filter(|line| line.contains(&mine)).fold(String::new(), |log, line| log + line + "\n")
    }
}

struct LogWriter(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

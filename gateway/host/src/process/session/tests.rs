use std::{
    io::Write as _,
    os::unix::net::UnixStream as StdUnixStream,
    process::Stdio,
    task::{Context, Waker},
    thread,
};

use postroom_core::id::DestinationName;
use tokio::process::Command;

use super::*;
use crate::{
    plugin_log::LogRecord,
    process::{output, socket::split},
};

/// A conversation with a peer that the test plays, beside a process that only lives. Gives the peer's end of the socket,
/// and the frames for it.
fn session(limits: Limits) -> (Session, StdUnixStream, mpsc::Receiver<Frame>) {
    let (ours, theirs) = StdUnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let (incoming, _) = split(ours).unwrap();
    let (outgoing, frames) = mpsc::channel(64);
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let log = Arc::new(PluginLog::new(DestinationName::new("test"), Arc::default()));
    let session = Session {
        incoming,
        buffer: BytesMut::new(),
        ready: None,
        pending: Arc::default(),
        actions: Arc::default(),
        slots: Arc::new(Semaphore::new(0)),
        layers: Arc::default(),
        moves: MoveWatch::new(&limits).0,
        faults: FaultBook::new(DestinationName::new("test")).0,
        bounds: None,
        outgoing,
        emit: EmitDesk::new(None, Vec::new(), Arc::default(), mpsc::channel(1).0, limits.state),
        metrics: MetricDesk::new(None, &[], Arc::default()),
        state: StateDesk::new(None, mpsc::channel(1).0, limits.state),
        health: HealthDesk::new(DestinationName::new("test"), Arc::default(), &limits).0,
        ping: None,
        limits,
        output: output::capture(child.stdout.take().unwrap(), child.stderr.take().unwrap(), &log),
        log,
        child,
        kill: CancellationToken::new(),
    };
    (session, theirs, frames)
}

#[tokio::test]
async fn a_process_that_always_has_something_to_say_must_answer_a_ping_too() {
    let limits = Limits {
        ping_interval: Duration::from_millis(5),
        ping: Duration::from_millis(50),
        ..Limits::default()
    };
    let (mut session, mut theirs, _frames) = session(limits);
    // Slower to read than to write.
    let line = LogRecord {
        level: 4,
        token: 0,
        target: "t".into(),
        message: "m".into(),
        fields_json: r#"{"a":[1,2,3]}"#.into(),
    };
    let chatter = ToGateway::Log(line).encode().repeat(4096);
    let talker = thread::spawn(move || while theirs.write_all(&chatter).is_ok() {});
    let end = timeout(Duration::from_secs(60), session.talk()).await.unwrap();
    assert!(matches!(&end, End::Kill(Exit::Killed(reason)) if reason.contains("did not answer")));
    drop(session);
    talker.join().unwrap();
}

#[tokio::test]
async fn a_process_that_has_much_to_say_lets_others_have_their_turn() {
    let (mut session, mut theirs, _frames) = session(Limits::default());
    let pong = ToGateway::Pong.encode();
    theirs.write_all(&pong.repeat(4 * READ_BYTES / pong.len())).unwrap();
    drop(theirs);
    session.incoming.readable().await;
    let mut talk = pin!(session.talk());
    let first = talk.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(first.is_pending(), "the end is there to be read, but not in one turn");
    assert!(matches!(talk.await, End::Closed));
}

#[test]
fn a_look_is_put_off_once_when_there_is_more_to_read() {
    let (start, interval) = (Instant::now(), Duration::from_secs(2));
    let looks = |all_read: bool| {
        let mut looks = Looks { interval, next: start, put_off: false };
        (0..8).map(|second| looks.is_due(start + Duration::from_secs(second), all_read)).collect::<Vec<_>>()
    };
    assert_eq!(looks(true), [true, false, true, false, true, false, true, false]);
    assert_eq!(looks(false), [false, false, true, false, false, false, true, false]);
}

#[tokio::test]
async fn a_process_that_cannot_be_written_to_is_ended() {
    let limits = Limits { ping_interval: Duration::from_millis(5), ..Limits::default() };
    let (mut session, _theirs, frames) = session(limits);
    // As after a failed write: the writer has come back.
    drop(frames);
    let end = timeout(Duration::from_secs(60), session.talk()).await.unwrap();
    assert!(matches!(&end, End::Kill(Exit::Killed(reason)) if reason.contains("did not take a ping")));
}

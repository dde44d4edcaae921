//! The work of the process: load the plugin, then do as the gateway says.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io,
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::PathBuf,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use postroom_abi::POSTROOM_OK;
use postroom_core::secret::Secret;

use super::{confine, frames::Frames, mapping, outbox::Outbox, pool::Pool, process};
use crate::{
    clock,
    config_fault::ConfigFault,
    native::{self, CreateError, Host, Instance, Library, LoadError, Services, ValidateError},
    offer::Offer,
    outcome::Report,
    plugin_log::LogRecord,
    plugin_state::StateOperation,
    wire::{Start, ToChild, ToGateway},
};

/// Serves the gateway behind `socket`. Comes back when the plugin could not be started, having told the gateway why,
/// or after a check; with an error when the gateway is gone. A plugin that runs ends the process by itself.
pub(super) fn run(socket: &UnixStream) -> io::Result<()> {
    let mut frames = Frames::new(socket.try_clone()?);
    let ToChild::Start(start) = frames.next()? else { return Err(out_of_turn()) };
    let library = File::from(frames.descriptor()?);
    if !start.check_only {
        confine::make_folders(&start.plan);
    }
    // Before the first thread: it binds those that are started from here on.
    let confined = confine::confine(&start.plan);
    let outbox = Outbox::start(socket.try_clone()?)?;
    let begun = match confined {
        Ok(layers) => {
            // Said before the plugin's code can say anything on this socket.
            outbox.send(&ToGateway::Confined { layers });
            outbox.flush();
            begin(start, library, &outbox)
        }
        Err(error) => Err(ToGateway::Failed { message: error.to_string() }),
    };
    match begun {
        Ok(session) => session.serve(&mut frames),
        Err(answer) => {
            outbox.send(&answer);
            outbox.flush();
            Ok(())
        }
    }
}

/// Loads the plugin and makes an instance. Where it ends before, gives the answer for the gateway.
fn begin(start: Start, library: File, outbox: &Outbox) -> Result<Session, ToGateway> {
    let failed = |error: &dyn Error| ToGateway::Failed { message: with_causes(error) };
    let library = load_library(library).map_err(|error| failed(&error))?;
    library.validate(&start.config_json).map_err(|error| match error {
        ValidateError::Refused(faults) => ToGateway::Refused { faults },
        ValidateError::Failed(_) => failed(&error),
    })?;
    if start.check_only {
        return Err(ToGateway::Valid);
    }
    let concurrency = if library.is_serial() { 1 } else { start.concurrency.max(1) };
    let pool = library.blocks().then(|| Pool::new(usize::try_from(concurrency).unwrap_or(usize::MAX)));
    let services = ForPlugin { outbox: outbox.clone(), secrets: start.secrets, log_level: start.log_level };
    let host = Host::new(Box::new(services));
    let instance = Arc::default();
    let making =
        Making { library, config_json: start.config_json, host, concurrency, outbox: outbox.clone() };
    making.start(Arc::clone(&instance)).map_err(|error| failed(&error))?;
    Ok(Session { host, instance, outbox: outbox.clone(), pool })
}

/// An instance that is being made. On a thread of its own: what the plugin asks of its state meanwhile is answered by a
/// frame, which somebody has to read.
struct Making {
    library: Library,
    config_json: String,
    host: Host,
    concurrency: u32,
    outbox: Outbox,
}

impl Making {
    fn start(self, made: Arc<OnceLock<Arc<Instance>>>) -> io::Result<()> {
        thread::Builder::new().name("create".to_owned()).spawn(move || self.make(&made)).map(drop)
    }

    /// Makes the instance and tells the gateway; ends the process if there is none.
    fn make(self, made: &OnceLock<Arc<Instance>>) {
        let Self { library, config_json, host, concurrency, outbox } = self;
        let answer = match Instance::create(library, &config_json, host) {
            Ok(instance) => {
                // Nothing else sets it. Before the answer: a delivery may follow on that at once.
                made.get_or_init(|| Arc::new(instance));
                outbox.send(&ToGateway::Ready { concurrency });
                return;
            }
            Err(CreateError::Refused { message }) => {
                ToGateway::Refused { faults: vec![ConfigFault { path: String::new(), message }] }
            }
            Err(error) => ToGateway::Failed { message: with_causes(&error) },
        };
        outbox.send(&answer);
        outbox.flush();
        process::leave(true);
    }
}

/// Loads the library that the gateway has checked and sealed; its name in the file system may stand for another by now.
#[expect(unsafe_code, reason = "runs the plugin's code, which is what this process is for")]
fn load_library(library: File) -> Result<Library, LoadError> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", library.as_raw_fd()));
    // SAFETY: this process holds nothing but this plugin, and whatever the plugin does ends with it.
    unsafe { native::load(&path) }
}

/// A plugin at work.
struct Session {
    host: Host,
    /// Set once the instance is made; the gateway sends deliveries only after it was told.
    instance: Arc<OnceLock<Arc<Instance>>>,
    outbox: Outbox,
    /// For plugins whose `deliver` blocks.
    pool: Option<Pool>,
}

impl Session {
    fn serve(&self, frames: &mut Frames) -> io::Result<()> {
        loop {
            match frames.next()? {
                ToChild::Deliver(offer) => self.deliver(*offer)?,
                ToChild::DeliverFile { mut offer, bytes } => {
                    offer.body = mapping::body(frames.descriptor()?, bytes)?;
                    self.deliver(*offer)?;
                }
                ToChild::Cancel { token } => self.instance()?.cancel(token),
                ToChild::StateReply { request, reply } => self.host.answer_state(request, reply),
                ToChild::Ping => self.outbox.send(&ToGateway::Pong),
                ToChild::Stop { deadline_unix_ms } => self.stop(deadline_unix_ms)?,
                ToChild::Start(_) => return Err(out_of_turn()),
            }
        }
    }

    fn instance(&self) -> io::Result<&Arc<Instance>> {
        self.instance.get().ok_or_else(out_of_turn)
    }

    fn deliver(&self, offer: Offer) -> io::Result<()> {
        let (instance, outbox) = (Arc::clone(self.instance()?), self.outbox.clone());
        let deliver = move || {
            let token = offer.token;
            let status = instance.deliver(offer);
            if status != POSTROOM_OK {
                outbox.send(&ToGateway::NotAccepted { token, status });
            }
        };
        match &self.pool {
            Some(pool) => pool.run(Box::new(deliver)),
            None => {
                // On this very thread: the contract gives `deliver` 50 ms. A plugin that stays away for longer
                // misses a ping, and the gateway ends it.
                deliver();
                Ok(())
            }
        }
    }

    /// Ends the plugin on a thread of its own, so that this one can go on with pings and cancels. The gateway ends the
    /// process if that takes too long.
    fn stop(&self, deadline_unix_ms: u64) -> io::Result<()> {
        let (instance, outbox) = (Arc::clone(self.instance()?), self.outbox.clone());
        let stop = move || {
            instance.drain(deadline_unix_ms);
            let left = deadline_unix_ms.saturating_sub(clock::now_unix_ms());
            instance.wait_idle(Duration::from_millis(left));
            instance.destroy();
            outbox.flush();
            process::leave(true);
        };
        thread::Builder::new().name("stop".to_owned()).spawn(stop).map(drop)
    }
}

/// What the plugin may ask of its host.
struct ForPlugin {
    outbox: Outbox,
    secrets: BTreeMap<String, Secret>,
    log_level: u32,
}

impl Services for ForPlugin {
    fn completed(&self, token: u64, report: Report) {
        self.outbox.send(&ToGateway::Completed { token, report });
    }

    fn released(&self, token: u64, report: Report) {
        self.outbox.send(&ToGateway::Released { token, report });
    }

    fn log_level(&self) -> u32 {
        self.log_level
    }

    fn log(&self, record: LogRecord) {
        self.outbox.log(record);
    }

    fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    fn state(&self, request: u64, operation: StateOperation) {
        self.outbox.send(&ToGateway::State { request, operation });
    }
}

fn out_of_turn() -> io::Error {
    io::Error::other("the gateway sent a frame out of turn")
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

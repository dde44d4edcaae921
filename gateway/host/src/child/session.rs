//! The work of the process: load the plugin, then do as the gateway says.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io,
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use postroom_abi::POSTROOM_OK;
use postroom_core::secret::Secret;

use super::{
    actions, confine,
    faults::FaultReport,
    frames::Frames,
    health, mapping,
    outbox::Outbox,
    pool::Pool,
    process,
    secrets::Secrets,
    spin::Spin,
    threads::{self, OwnThread},
};
use crate::{
    action::ActionReport,
    clock,
    config_fault::ConfigFault,
    native::{self, CreateError, Host, Instance, Library, LoadError, Services, ValidateError},
    offer::Offer,
    outcome::Report,
    plugin_emit::EmitRequest,
    plugin_log::LogRecord,
    plugin_metrics::{Measurement, MetricKind},
    plugin_state::StateOperation,
    sandbox::Layers,
    wire::{Start, ToChild, ToGateway},
};

/// Serves the gateway behind `socket`. Comes back when the plugin could not be started, having told the gateway why,
/// or after a check; with an error when the gateway is gone. A plugin that runs ends the process by itself.
pub(super) fn run(socket: &UnixStream) -> io::Result<()> {
    // What it asks about is behind locks later on.
    let spin = Spin::new();
    let mut frames = Frames::new(socket.try_clone()?);
    let ToChild::Start(start) = frames.next()? else { return Err(out_of_turn()) };
    let library = File::from(frames.descriptor()?);
    if !start.check_only {
        confine::make_folders(&start.plan);
    }
    // Before the first thread: it binds those that are started from here on.
    let confined = confine::confine(&start.plan);
    let outbox = Outbox::start(socket.try_clone()?, spin)?;
    let begun = match confined {
        Ok((layers, places)) => {
            // Said before the plugin's code can say anything on this socket.
            outbox.send(&ToGateway::Confined { layers: layers.clone(), places });
            outbox.flush();
            begin(start, library, &layers, &outbox)
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
fn begin(start: Start, library: File, layers: &Layers, outbox: &Outbox) -> Result<Session, ToGateway> {
    let failed = |error: &dyn Error| ToGateway::Failed { message: with_causes(error) };
    let library = load_library(library).map_err(|error| failed(&error))?;
    library.validate(&start.config_json).map_err(|error| match error {
        ValidateError::Refused(faults) => ToGateway::Refused { faults },
        ValidateError::Failed(_) => failed(&error),
    })?;
    if start.check_only {
        library.check_description().map_err(|error| failed(&error))?;
        return Err(ToGateway::Valid { actions: library.acts() });
    }
    let concurrency = if library.is_serial() { 1 } else { start.concurrency.max(1) };
    let pool = library.blocks().then(|| Pool::new(usize::try_from(concurrency).unwrap_or(usize::MAX)));
    if pool.is_some() {
        confine::make_room_for_pool(layers).map_err(|error| failed(&error))?;
    }
    let secrets = Arc::new(Secrets::new(start.secrets));
    let services = ForPlugin {
        outbox: outbox.clone(),
        secrets: Arc::clone(&secrets),
        log_level: start.log_level,
        metrics: start.metrics,
        metrics_lost: AtomicU64::new(0),
        emit: start.emit,
    };
    let host = Host::new(Box::new(services));
    let instance = Arc::default();
    let making =
        Making { library, config_json: start.config_json, host, concurrency, outbox: outbox.clone() };
    making.start(Arc::clone(&instance)).map_err(|error| failed(&error))?;
    let faults = FaultReport::new(host, outbox.clone());
    Ok(Session { host, secrets, instance, outbox: outbox.clone(), faults, pool })
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
    secrets: Arc<Secrets>,
    /// Set once the instance is made; the gateway sends deliveries only after it was told.
    instance: Arc<OnceLock<Arc<Instance>>>,
    outbox: Outbox,
    faults: FaultReport,
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
                ToChild::Action { token, deadline_unix_ms, name, input_json } => {
                    actions::run(self.instance()?, &self.outbox, token, deadline_unix_ms, name, input_json);
                }
                ToChild::CancelAction { token } => self.instance()?.cancel_action(token),
                ToChild::Secrets { number, secrets } => self.secrets.replace(number, secrets),
                ToChild::EmitReply { request, reply } => self.host.answer_emit(request, reply),
                ToChild::StateReply { request, reply } => self.host.answer_state(request, reply),
                ToChild::Health => health::ask(self.instance()?, &self.outbox),
                ToChild::Ping => {
                    self.faults.tell(0);
                    self.outbox.send(&ToGateway::Pong);
                }
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
        let faults = self.faults.clone();
        let stop = move || {
            let _own = OwnThread::enter();
            instance.drain(deadline_unix_ms);
            let left = deadline_unix_ms.saturating_sub(clock::now_unix_ms());
            instance.wait_idle(Duration::from_millis(left));
            instance.destroy();
            faults.tell(threads::left_behind());
            outbox.flush();
            process::leave(true);
        };
        thread::Builder::new().name("stop".to_owned()).spawn(stop).map(drop)
    }
}

/// What the plugin may ask of its host.
struct ForPlugin {
    outbox: Outbox,
    secrets: Arc<Secrets>,
    log_level: u32,
    /// Those that the plugin has declared, with the kind of each.
    metrics: BTreeMap<String, String>,
    metrics_lost: AtomicU64,
    /// Whether it may make events.
    emit: bool,
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

    fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.get(name)
    }

    fn action_ended(&self, token: u64, report: ActionReport) {
        self.outbox.send(&ToGateway::ActionReply { token, report });
    }

    fn extended(&self, token: u64, want_ms: u32) {
        self.outbox.send(&ToGateway::Extended { token, want_ms });
    }

    fn has_metric(&self, kind: MetricKind, name: &str) -> bool {
        self.metrics.get(name).is_some_and(|declared| declared == kind.as_str())
    }

    fn measured(&self, measurement: Measurement) -> bool {
        let lost = self.metrics_lost.swap(0, Ordering::Relaxed);
        let sent = self.outbox.send_if_room(&ToGateway::Metric(Measurement { lost, ..measurement }));
        if !sent {
            self.metrics_lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
        sent
    }

    fn may_emit(&self) -> bool {
        self.emit
    }

    fn emit(&self, request: u64, event: EmitRequest) {
        self.outbox.send(&ToGateway::Emit { request, event: Box::new(event) });
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

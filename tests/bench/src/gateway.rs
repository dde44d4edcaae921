//! The gateway under measurement: the release binary, with one source and one destination.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{
    gauge::Gauge,
    http,
    process::{self, Process},
    readers::{self, Readers},
};

/// How long it may take to be ready.
const START_MAX: Duration = Duration::from_secs(120);

const TOKEN: &str = "bench-token-0123456789abcdef";
const API_KEY: &str = "bench-key-0123456789abcdef";

/// Where its events go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To {
    /// A plugin that takes each at once.
    Sink,
    /// A plugin that takes one and never ends it: everything else waits.
    Nowhere,
    /// The bundled plugin that forwards to an HTTP address.
    Http(SocketAddr),
}

impl To {
    fn destination(self) -> String {
        match self {
            Self::Sink => "plugin = \"bench-sink\"\nconcurrency = 256".to_owned(),
            Self::Nowhere => {
                "plugin = \"bench-sink\"\nconcurrency = 1\ntimeout = \"1h\"\nconfig = { hold = true }"
                    .to_owned()
            }
            Self::Http(address) => {
                format!("plugin = \"forward\"\nconcurrency = 64\nconfig = {{ url = \"http://{address}/\" }}")
            }
        }
    }
}

/// A gateway that is ready.
#[derive(Debug)]
pub(crate) struct Gateway {
    process: Process,
    pub(crate) address: SocketAddr,
    /// When its process was started, and when it said that it is ready.
    pub(crate) started_at: Instant,
    pub(crate) ready_at: Instant,
    first_delivery: Receiver<Instant>,
}

impl Gateway {
    /// Starts a gateway whose data lie in `folder`, and waits until it is ready.
    pub(crate) fn start(folder: &Path, to: To) -> anyhow::Result<Self> {
        let programs = process::own_folder()?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join("postroom.toml");
        fs::write(&file, config(&programs, to))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let started_at = Instant::now();
        let mut command = Command::new(programs.join("postroom"));
        command.args(["serve", "--log-format", "json", "--config"]).arg(&file);
        let mut process = Process::start(command.stdout(Stdio::null()).stderr(Stdio::piped()))?;
        let log = process.errors().context("the gateway has no log")?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || follow(log, &tell));

        let mut address = None;
        let (first, first_delivery) = mpsc::channel();
        loop {
            match told.recv_timeout(START_MAX).context("the gateway did not become ready")? {
                Told::Listening(at) => address = Some(at),
                Told::FirstDelivery(at) => first.send(at)?,
                Told::Ready(ready_at) => {
                    let address = address.context("the gateway does not say where it listens")?;
                    thread::spawn(move || {
                        for told in told {
                            if let Told::FirstDelivery(at) = told {
                                // Nobody may be waiting for it any more.
                                first.send(at).ok();
                            }
                        }
                    });
                    return Ok(Self { process, address, started_at, ready_at, first_delivery });
                }
            }
        }
    }

    pub(crate) fn hook_path() -> String {
        format!("/hooks/postman?token={TOKEN}")
    }

    /// Readers of what is at `path`; how many, and for how long, is still to be said.
    pub(crate) fn readers(&self, path: &str) -> Readers {
        let (path, key) = (path.to_owned(), API_KEY.to_owned());
        Readers { target: self.address, path, key, readers: 0, seconds: 0.0 }
    }

    pub(crate) fn gauge(&self) -> Gauge {
        Gauge(self.process.id())
    }

    /// When the sink got its first delivery.
    pub(crate) fn first_delivery(&self) -> anyhow::Result<Instant> {
        self.first_delivery.recv_timeout(START_MAX).context("nothing was delivered")
    }

    pub(crate) fn get(&self, path: &str) -> anyhow::Result<String> {
        http::get(self.address, path, Some(API_KEY))
    }

    /// Deliveries that are not final, as the store counts them.
    pub(crate) fn waiting(&self) -> anyhow::Result<u64> {
        let metrics = self.get("/metrics")?;
        let of = |name: &str| -> Option<u64> {
            let line = metrics.lines().find(|line| line.starts_with(name))?;
            line.rsplit_once(' ')?.1.parse().ok()
        };
        let (waiting, in_flight) = (of("postroom_deliveries_waiting{"), of("postroom_deliveries_in_flight{"));
        let Some((waiting, in_flight)) = waiting.zip(in_flight) else {
            bail!("the metrics do not say how many deliveries wait");
        };
        Ok(waiting + in_flight)
    }

    /// Waits until nothing waits, and gives the moment.
    pub(crate) fn drained(&self) -> anyhow::Result<Instant> {
        while self.waiting()? > 0 {
            // The question costs the store a look through what waits; asked without a pause it would be what is measured.
            pause(Duration::from_millis(10));
        }
        Ok(Instant::now())
    }
}

/// Lets time pass where there is nothing to wait for.
#[expect(clippy::disallowed_methods, reason = "a question that is asked in turns needs a pause between them")]
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}

/// Nothing is pruned while it is measured: a part of this is about rows that would be old.
fn config(plugins: &Path, to: To) -> String {
    let (plugins, destination) = (plugins.display(), to.destination());
    let key = |place| {
        let key = Readers::key_of(API_KEY, place);
        format!("[[api_key]]\nname = \"bench-{place}\"\nrole = \"admin\"\nkey = \"{key}\"\n")
    };
    let keys: String = (0..readers::KEYS).map(key).collect();
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[plugins]\npath = [\"{plugins}\"]\n\
         {keys}\
         [[source]]\nname = \"postman\"\ntokens = [\"{TOKEN}\"]\n\
         [[destination]]\nname = \"sink\"\n{destination}\n\
         [[route]]\nname = \"everything\"\nto = [\"sink\"]\n\
         [retention]\nevents = \"forever\"\nsize = \"unlimited\"\n"
    )
}

/// What the log tells that matters here.
#[derive(Debug)]
enum Told {
    Listening(SocketAddr),
    Ready(Instant),
    FirstDelivery(Instant),
}

/// Reads a log to its end. What went wrong is shown.
fn follow(log: impl Read, tell: &Sender<Told>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        let Ok(line) = serde_json::from_str::<Value>(&line) else {
            crate::note(&line);
            continue;
        };
        let told = match line["message"].as_str() {
            Some("listening") => line["address"].as_str().and_then(|at| at.parse().ok()).map(Told::Listening),
            Some("ready") => Some(Told::Ready(Instant::now())),
            Some("first delivery") => Some(Told::FirstDelivery(Instant::now())),
            _ => None,
        };
        if matches!(line["level"].as_str(), Some("ERROR" | "WARN")) {
            crate::note(&format!("gateway: {line}"));
        }
        if let Some(told) = told {
            // The rest of the log is still read: a full pipe would stop the gateway.
            tell.send(told).ok();
        }
    }
}

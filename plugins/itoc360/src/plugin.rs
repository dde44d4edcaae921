//! The plugin: from events to requests, from answers to outcomes.

use std::collections::BTreeMap;

use postroom_sdk::{
    Actions, Bytes, CreateError, Delivery, Event, Failure, Host, Outcome, Plugin, Report, Secret, SecretRef,
    StateError,
    http::{HttpClient, Reach, Response},
    postroom_plugin,
};
use url::Url;

use crate::{
    address::{self, Address},
    alertmanager::{Alert, Status},
    config::{Config, Extent, Mode},
    memory::{self, Memory, Moment, Step},
    open::OpenIncidents,
    probe::Test,
    reply::{self, Reply},
    signal::{Reading, Signal, Takes},
    texts::Texts,
};

/// One source of ITOC360.
#[derive(Debug)]
pub struct Itoc360 {
    endpoint: Url,
    token: SecretRef,
    takes: Takes,
    send: Extent,
    texts: Texts,
    labels: BTreeMap<String, String>,
    http: HttpClient,
}

#[postroom_plugin(
    id = "itoc360",
    name = "ITOC360",
    description = "Opens and resolves ITOC360 incidents from the runs of Postman's monitors",
    kinds = [
        "monitor_run",
        "incident_opened",
        "incident_reminder",
        "incident_resolved",
        "monitor_silent",
        "monitor_resumed"
    ],
    concurrency = 16,
    capabilities = [state],
    network = ["*:*"],
    config_schema = "config.schema.json",
    actions = "actions.json"
)]
impl Plugin for Itoc360 {
    type Config = Config;

    fn actions() -> Actions<Self> {
        Actions::none().with::<Test>().with::<OpenIncidents>()
    }

    fn validate(config: &Config, report: &mut Report) {
        config.check(report);
    }

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        let endpoint =
            address::endpoint(&config.base_url).map_err(|error| CreateError::config(error.to_string()))?;
        // The token is fetched anew for each delivery, but a bad one is to be seen now and not with the first run.
        address(&endpoint, &host.secret(&config.token)?).map_err(CreateError::config)?;
        let texts = Texts::new(config.summary.as_deref(), config.description.as_deref())
            .map_err(|error| CreateError::config(error.to_string()))?;
        let http = HttpClient::builder(&host, "itoc360", env!("CARGO_PKG_VERSION"))
            .timeout(config.timeout)
            // The operator alone says where ITOC360 is, and one's own may be in a private network.
            .reach(Reach::Private)
            .build()?;
        let (takes, send) = (config.takes(), config.send);
        Ok(Self { endpoint, token: config.token, takes, send, texts, labels: config.labels, http })
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        match self.takes.read(event)? {
            Reading::Signal(signal) => self.tell(*signal, event, delivery).await,
            Reading::Unclear => self.pass_on(event, delivery).await,
            Reading::NotTaken(why) => Ok(Outcome::skipped(why)),
        }
    }
}

impl Itoc360 {
    /// Tells ITOC360 unless it knows, and remembers that.
    async fn tell(&self, mut signal: Signal, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let moment = Moment::of(event, delivery.host().now_unix_ms());
        let mut memory = self.required(Memory::open(delivery.host().state(), &signal.fingerprint).await)?;
        let told = memory.as_ref().and_then(Memory::told);
        match memory::step(told, signal.facts.status, moment, self.send) {
            Step::Tell => {}
            Step::TooOld => {
                return Ok(Outcome::skipped("ITOC360 has been told of a newer event of this monitor"));
            }
            Step::Known => {
                if let Some(memory) = &mut memory {
                    memory.end(&signal, moment).await?;
                }
                return Ok(Outcome::skipped("nothing has changed since ITOC360 was told"));
            }
        }
        let starts = signal.recall(told, moment.received_unix_ms);
        if let Some(memory) = &mut memory {
            self.required(memory.begin(&signal, moment).await)?;
        }
        let body = match self.mode() {
            Mode::Postman => event.shared_body(),
            Mode::Alertmanager => self.alert(&signal, starts, event)?,
        };
        let response = self.post(delivery.host(), body).await?;
        if !response.is_success() {
            return Err(reply::failure(&response));
        }
        if let Some(memory) = &mut memory
            && self.required(memory.end(&signal, moment).await)?.is_none()
        {
            delivery
                .log()
                .warn("what ITOC360 has been told cannot be kept: `open-incidents` will not show it");
        }
        Ok(taken(response.body(), Some(signal.facts.status), delivery))
    }

    /// A run that does not say whether it passed. As Postman's own body, ITOC360 may make of it what it likes.
    async fn pass_on(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        if (self.mode(), self.send) != (Mode::Postman, Extent::EveryRun) {
            let why = "the run does not say whether it passed, so it neither opens nor resolves anything";
            delivery.log().warn(why);
            return Ok(Outcome::skipped(why));
        }
        let response = self.post(delivery.host(), event.shared_body()).await?;
        if response.is_success() {
            Ok(taken(response.body(), None, delivery))
        } else {
            Err(reply::failure(&response))
        }
    }

    fn alert(&self, signal: &Signal, starts_unix_ms: u64, event: &Event) -> Result<Bytes, Failure> {
        let alert = Alert {
            fingerprint: &signal.fingerprint,
            facts: &signal.facts,
            summary: self.texts.summary(&signal.facts),
            description: self.texts.description(&signal.facts),
            starts_unix_ms,
            received_unix_ms: event.received_unix_ms(),
            labels: event.labels().collect(),
            fixed_labels: &self.labels,
        };
        json(&alert)
    }

    /// Sends a body to ITOC360 with the token as it is now.
    pub(crate) async fn post(&self, host: &Host, body: Bytes) -> Result<Response, Failure> {
        let token = host.secret(&self.token)?;
        let address = address(&self.endpoint, &token).map_err(|why| Failure::misconfigured("token", why))?;
        let request = self.http.post(address.endpoint.as_str()).bearer(&address.token);
        let request = request.header("Content-Type", "application/json").header("Accept", "application/json");
        request.body(body).send().await
    }

    pub(crate) fn mode(&self) -> Mode {
        self.takes.mode
    }

    /// What was kept is needed to tell a change from none. Where everything is sent anyway, nothing waits for it.
    fn required<T>(&self, kept: Result<T, StateError>) -> Result<Option<T>, StateError> {
        match kept {
            Ok(kept) => Ok(Some(kept)),
            Err(_) if self.send == Extent::EveryRun => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An alert as it is sent.
pub(crate) fn json(alert: &Alert<'_>) -> Result<Bytes, Failure> {
    match serde_json::to_vec(&alert.body()) {
        Ok(json) => Ok(json.into()),
        Err(error) => Err(Failure::permanent("bad_body", format!("the alert cannot be JSON: {error}"))),
    }
}

fn address(endpoint: &Url, token: &Secret) -> Result<Address, String> {
    Address::new(endpoint, token).map_err(|error| format!("/token: {error}"))
}

/// The outcome of an event that ITOC360 has, with what looks odd about its answer.
fn taken(answer: &[u8], status: Option<Status>, delivery: &Delivery) -> Outcome {
    let (outcome, odd) = match Reply::read(answer) {
        Some(reply) => (Outcome::delivered().with_record(reply.record()), reply.contradiction(status)),
        None => {
            let odd = "the answer is not ITOC360's: check that `base_url` leads there";
            (Outcome::delivered(), Some(odd.to_owned()))
        }
    };
    match odd {
        Some(odd) => {
            delivery.log().warn(&odd);
            outcome.with_message(odd)
        }
        None => outcome,
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! The plugin: from runs to requests, from answers to outcomes.

use postroom_sdk::{
    Bytes, CreateError, Delivery, Event, Failure, Host, Outcome, Payload, Plugin, Report, Secret, SecretRef,
    Verdict,
    http::{HttpClient, Reach},
    kind, postroom_plugin,
};
use url::Url;

use crate::{
    address::{self, Address},
    alertmanager::{Alert, Status},
    config::{Config, Mode},
    reply::{self, Reply},
};

/// One source of ITOC360.
#[derive(Debug)]
pub struct Itoc360 {
    endpoint: Url,
    token: SecretRef,
    mode: Mode,
    http: HttpClient,
}

#[postroom_plugin(
    id = "itoc360",
    name = "ITOC360",
    description = "Opens and resolves ITOC360 incidents from the runs of Postman's monitors",
    kinds = ["monitor_run"],
    concurrency = 16,
    network = ["*:*"],
    config_schema = "config.schema.json"
)]
impl Plugin for Itoc360 {
    type Config = Config;

    fn validate(config: &Config, report: &mut Report) {
        config.check(report);
    }

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        let endpoint =
            address::endpoint(&config.base_url).map_err(|error| CreateError::config(error.to_string()))?;
        // The token is fetched anew for each delivery, but a bad one is to be seen now and not with the first run.
        address(&endpoint, &host.secret(&config.token)?).map_err(CreateError::config)?;
        let http = HttpClient::builder(&host, "itoc360", env!("CARGO_PKG_VERSION"))
            .timeout(config.timeout)
            // The operator alone says where ITOC360 is, and one's own may be in a private network.
            .reach(Reach::Private)
            .build()?;
        Ok(Self { endpoint, token: config.token, mode: config.mode, http })
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        if event.kind() != kind::MONITOR_RUN {
            return Ok(Outcome::skipped(format!("{} is no monitor run", event.kind())));
        }
        let body = match self.mode {
            Mode::Postman => event.shared_body(),
            Mode::Alertmanager => match alertmanager_body(event)? {
                Some(body) => body,
                None => {
                    let why =
                        "the run does not say whether it passed, so it neither opens nor resolves anything";
                    delivery.log().warn(why);
                    return Ok(Outcome::skipped(why));
                }
            },
        };
        let token = delivery.host().secret(&self.token)?;
        let address = address(&self.endpoint, &token).map_err(|why| Failure::misconfigured("token", why))?;
        let request = self.http.post(address.endpoint.as_str()).bearer(&address.token);
        let request = request.header("Content-Type", "application/json").header("Accept", "application/json");
        let response = request.body(body).send().await?;
        if !response.is_success() {
            return Err(reply::failure(&response));
        }
        Ok(taken(response.body(), event.verdict(), delivery))
    }
}

fn address(endpoint: &Url, token: &Secret) -> Result<Address, String> {
    Address::new(endpoint, token).map_err(|error| format!("/token: {error}"))
}

/// The outcome of an event that ITOC360 has, with what looks odd about its answer.
fn taken(answer: &[u8], verdict: Option<Verdict>, delivery: &Delivery) -> Outcome {
    let (outcome, odd) = match Reply::read(answer) {
        Some(reply) => (Outcome::delivered().with_record(reply.record()), reply.contradiction(verdict)),
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

/// The run as an alert; `None` when its verdict is unknown.
fn alertmanager_body(event: &Event) -> Result<Option<Bytes>, Failure> {
    let status = match event.verdict() {
        Some(Verdict::Failed) => Status::Firing,
        Some(Verdict::Passed) => Status::Resolved,
        Some(Verdict::Unknown) | None => return Ok(None),
    };
    let Payload::MonitorRun(run) = event.payload() else {
        return Err(Failure::permanent("no_run", "the body has no monitor run that can be read"));
    };
    // Without an id the name tells monitors apart, and without a name the key that orders them.
    let fingerprint = run.monitor_id().or(run.monitor_name.as_deref()).or(event.ordering_key());
    let alert = Alert {
        run: &run,
        status,
        fingerprint: fingerprint.unwrap_or(event.source()),
        received_unix_ms: event.received_unix_ms(),
        source: event.source(),
        labels: event.labels().collect(),
    };
    match serde_json::to_vec(&alert.body()) {
        Ok(json) => Ok(Some(json.into())),
        Err(error) => Err(Failure::permanent("bad_body", format!("the alert cannot be JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests;

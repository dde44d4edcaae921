//! The plugin: from events to requests, from answers to outcomes.

use std::collections::BTreeMap;

use postroom_sdk::{
    Actions, CreateError, Delivery, Event, Failure, Host, Outcome, Plugin, Report, Secret, SecretError,
    SecretOrText,
    http::{HttpClient, Reach, RequestBuilder, Response},
    postroom_plugin,
};
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    address::{Address, NotHttp},
    config::Config,
    headers::{self, HeaderError},
    probe::Test,
};

/// One endpoint.
#[derive(Debug)]
pub struct Forward {
    url: SecretOrText,
    headers: BTreeMap<String, SecretOrText>,
    http: HttpClient,
}

/// Why a request cannot be made from the settings.
#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("/url: {0}")]
    Url(#[from] NotHttp),
    #[error("/headers/{name}: {source}")]
    Header { name: String, source: HeaderError },
}

#[postroom_plugin(
    id = "forward",
    name = "Forward",
    description = "Posts each event to an HTTP endpoint, byte for byte",
    kinds = ["*"],
    concurrency = 16,
    network = ["*:*"],
    config_schema = "config.schema.json",
    actions = "actions.json"
)]
impl Plugin for Forward {
    type Config = Config;

    fn actions() -> Actions<Self> {
        Actions::none().with::<Test>()
    }

    fn validate(config: &Config, report: &mut Report) {
        config.check(report);
    }

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        let http = HttpClient::builder(&host, "forward", env!("CARGO_PKG_VERSION"))
            .timeout(config.timeout)
            // The operator alone says where to, and that may well be on this machine.
            .reach(Reach::Private)
            .build()?;
        let forward = Self { url: config.url, headers: config.headers, http };
        // Secrets are fetched anew for each delivery, but bad ones are to be seen now and not with the first event.
        forward.target(&host).map_err(|error| CreateError::config(error.to_string()))?;
        Ok(forward)
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let target = self.target(delivery.host());
        let target = target.map_err(|error| Failure::misconfigured("settings", error.to_string()))?;
        let body = event.shared_body();
        let mut request = self.request(event, &target);
        if body.is_empty() {
            // The client leaves the length of an empty body out, and some servers refuse a POST without one.
            request = request.header("Content-Length", "0");
        }
        let response = request.body(body).send().await?;
        if NOT_HERE.contains(&response.status()) {
            let message = format!("there is nothing that takes events at `url`: {}", response.excerpt());
            return Err(Failure::misconfigured(format!("http_{}", response.status()), message));
        }
        let response = response.successful()?;
        Ok(Outcome::delivered().with_record(json!({ "status": response.status() })))
    }
}

/// Not found, method not allowed, gone: they speak of the address, which is the same for every event. As dead letters,
/// one slip in `url` would cost every event.
const NOT_HERE: [u16; 3] = [404, 405, 410];

/// Where requests go and with which configured headers, secrets filled in.
struct Target<'a> {
    address: Address,
    headers: Vec<(&'a str, Secret)>,
}

impl Forward {
    fn target(&self, host: &Host) -> Result<Target<'_>, Error> {
        let address = Address::parse(host.resolve(&self.url)?.expose())?;
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let value = host.resolve(value)?;
            headers::check_value(value.expose())
                .map_err(|source| Error::Header { name: name.clone(), source })?;
            headers.push((name.as_str(), value));
        }
        Ok(Target { address, headers })
    }

    /// The request without its body. A later header replaces an earlier one of its name.
    fn request(&self, event: &Event, target: &Target<'_>) -> RequestBuilder {
        // The content type comes from a stranger, and what no header can hold must not fail the event.
        let content_type = event.content_type().filter(|text| headers::check_value(text).is_ok());
        self.base(target, content_type.unwrap_or("application/json"), event.id())
            .header("Postroom-Event-Id", event.id())
            .header("Postroom-Event-Kind", event.kind())
            .header("Postroom-Attempt", &event.attempt().to_string())
    }

    /// Posts a request that is no event.
    pub(crate) async fn send_test(&self, host: &Host, body: &Value) -> Result<Response, Failure> {
        let target =
            self.target(host).map_err(|error| Failure::misconfigured("settings", error.to_string()))?;
        let key = format!("test-{}", host.now_unix_ms());
        let request = self.base(&target, "application/json", &key).header("Postroom-Test", "true");
        request.body(body.to_string()).send().await
    }

    /// A request without its body and without the headers that only this plugin sets.
    fn base(&self, target: &Target<'_>, content_type: &str, key: &str) -> RequestBuilder {
        let mut request = self
            .http
            .post(target.address.expose())
            .header("Content-Type", content_type)
            .header("Idempotency-Key", key);
        for (name, value) in &target.headers {
            request = request.secret_header(name, value);
        }
        for trace in target.address.traces() {
            request = request.hide(&trace);
        }
        request
    }
}

#[cfg(test)]
mod tests;

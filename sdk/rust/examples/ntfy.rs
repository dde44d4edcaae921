//! Tells people's phones about monitor runs that failed, through ntfy.
#![forbid(unsafe_code)]

use postroom_sdk::{
    CreateError, Delivery, Event, Failure, Host, MonitorRun, Outcome, Payload, Plugin, Report, SecretRef,
    Verdict,
    http::{HttpClient, Reach, Response},
    postroom_plugin,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Address of the ntfy server.
    #[serde(default = "default_url")]
    url: String,
    /// The name that the phones have subscribed to.
    topic: String,
    /// Access token, if the server wants one.
    token: Option<SecretRef>,
}

fn default_url() -> String {
    "https://ntfy.sh".to_owned()
}

struct Ntfy {
    config: Config,
    http: HttpClient,
}

#[postroom_plugin(
    id = "ntfy",
    name = "ntfy",
    description = "Tells phones about monitor runs that failed",
    kinds = ["monitor_run"],
    concurrency = 4,
    network = ["*:*"],
    config_schema = "config.schema.json"
)]
impl Plugin for Ntfy {
    type Config = Config;

    fn validate(config: &Config, report: &mut Report) {
        if !config.url.starts_with("https://") && !config.url.starts_with("http://") {
            report.error("/url", "not a web address: write it like \"https://ntfy.sh\"");
        }
        if config.topic.is_empty() {
            report.error("/topic", "empty: write the name that the phones have subscribed to");
        }
    }

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        // One's own ntfy is often in the same network.
        let http =
            HttpClient::builder(&host, "ntfy", env!("CARGO_PKG_VERSION")).reach(Reach::Private).build()?;
        Ok(Self { config, http })
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let Payload::MonitorRun(run) = event.payload() else {
            return Ok(Outcome::skipped("not a monitor run"));
        };
        if event.verdict() != Some(Verdict::Failed) {
            return Ok(Outcome::skipped("the run did not fail"));
        }
        let mut request = self.http.post(&self.config.url);
        if let Some(token) = &self.config.token {
            request = request.bearer(&delivery.host().secret(token)?);
        }
        let response = request.json(&self.message(&run)).send().await?;
        if !response.is_success() {
            return Err(failure(&response));
        }
        let sent: Value = response.json().unwrap_or_default();
        Ok(Outcome::delivered().with_ref("ntfy", sent["id"].as_str().unwrap_or_default(), ""))
    }
}

impl Ntfy {
    fn message(&self, run: &MonitorRun) -> Value {
        let monitor = run.monitor_name.as_deref().unwrap_or("A monitor");
        let count = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
        json!({
            "topic": self.config.topic,
            "title": format!("{monitor} is failing"),
            "message": format!("failed tests: {}, errors: {}", count(run.failed_tests), count(run.errors)),
            "priority": 4,
        })
    }
}

/// ntfy answers 404 when the address is not its own: that is the operator's to mend, not the event's fault.
fn failure(response: &Response) -> Failure {
    match response.status() {
        404 => Failure::misconfigured("http_404", "there is no ntfy at this address: check `url`"),
        _ => response.failure(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread::{self, JoinHandle},
    };

    use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness};

    use super::*;

    /// A server that answers one request with `response`; gives its address, and what it was sent once it has ended.
    fn answer_once(response: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut part) = (String::new(), [0; 4096]);
            while !request.ends_with('}') {
                let length = stream.read(&mut part).unwrap();
                request.push_str(std::str::from_utf8(&part[..length]).unwrap());
            }
            stream.write_all(response.as_bytes()).unwrap();
            request
        });
        (url, server)
    }

    fn start(url: &str) -> PluginHarness<Ntfy> {
        let config = json!({ "url": url, "topic": "on-call", "token": { "$secret": "token" } });
        PluginHarness::builder().config(config).secret("token", "tk_secret").start().unwrap()
    }

    #[test]
    fn a_run_that_failed_is_pushed() {
        let (url, server) = answer_once("HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"id\":\"sPs71M\"}");
        let outcome = start(&url).deliver(&EventFixture::monitor_run(2));
        assert_eq!(outcome.kind, OutcomeKind::Delivered);
        assert_eq!(outcome.record.unwrap()["refs"][0]["id"], "sPs71M");
        let request = server.join().unwrap();
        assert!(request.to_lowercase().contains("authorization: bearer tk_secret"), "{request}");
        assert!(request.contains("failed tests: 2, errors: 0"), "{request}");
    }

    #[test]
    fn a_busy_server_is_tried_again_and_a_wrong_token_is_the_operators_to_mend() {
        let check = |response, kind| {
            let (url, server) = answer_once(response);
            assert_eq!(start(&url).deliver(&EventFixture::monitor_run(1)).kind, kind);
            server.join().unwrap();
        };
        check("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", OutcomeKind::Retry);
        check("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", OutcomeKind::Misconfigured);
    }

    #[test]
    fn a_run_that_passed_is_left_out() {
        let outcome = start("http://127.0.0.1:9").deliver(&EventFixture::monitor_run(0));
        assert_eq!(outcome.kind, OutcomeKind::Skipped);
    }

    #[test]
    fn an_empty_topic_is_refused() {
        let faults = PluginHarness::<Ntfy>::validate(&json!({ "topic": "" }));
        assert_eq!(faults[0].path, "/topic");
    }
}

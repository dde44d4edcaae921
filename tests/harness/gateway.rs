//! A running gateway.

use std::{net::SocketAddr, path::Path, process::ExitStatus};

use postroom_faulty_disk::Disk;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Client, Config, Logs, Program, Serving, eventually};

const CONFIG_FILE: &str = "postroom.toml";
const FLAGS: [&str; 2] = ["--config", CONFIG_FILE];

/// A gateway in its own process and its own folder; both end when it is dropped.
#[derive(Debug)]
pub struct TestGateway {
    // Before the folder, so that nothing writes to it any more when it is removed.
    running: Serving,
    folder: TempDir,
    program: Program,
    config: Config,
    /// The logs of the processes before the last restart.
    past: Vec<String>,
}

impl TestGateway {
    /// Starts a gateway in a fresh folder, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start(program: &Program, config: Config) -> Self {
        let folder = TempDir::with_prefix("postroom-test-").expect("a folder can be made");
        Self::start_in(folder, program, config).await
    }

    /// Starts it again in the same folder after it ended. It listens on another port then.
    pub async fn restart(&mut self) {
        self.past.extend(self.logs().lines());
        self.running = Serving::start(&self.program, self.folder.path(), FLAGS).await;
    }

    /// Like [`start`](Self::start), with its data on a disk that can fail and lose power.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_on_faulty_disk(program: &Program, config: Config) -> (Self, Disk) {
        let folder = TempDir::with_prefix("postroom-test-").expect("a folder can be made");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder can be made");
        let disk = Disk::new(&data, &folder.path().join("disk"), 1).expect("a faulty disk can be made");
        let program = program.clone().with_variables(disk.variables());
        (Self::start_in(folder, &program, config).await, disk)
    }

    async fn start_in(folder: TempDir, program: &Program, config: Config) -> Self {
        config.write(folder.path(), CONFIG_FILE, &program.plugins());
        let running = Serving::start(program, folder.path(), FLAGS).await;
        Self { running, folder, program: program.clone(), config, past: Vec::new() }
    }

    /// Starts it again in the same folder, after it ended, with another configuration.
    pub async fn restart_with(&mut self, config: Config) {
        config.write(self.folder(), CONFIG_FILE, &self.program.plugins());
        self.config = config;
        self.restart().await;
    }

    /// Puts another configuration in the place of its own, and says nothing of it to the gateway.
    pub fn reconfigure(&mut self, config: Config) {
        config.write(self.folder(), CONFIG_FILE, &self.program.plugins());
        self.config = config;
    }

    /// The folder of its configuration and data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    #[must_use]
    pub fn client(&self) -> &Client {
        &self.running.client
    }

    /// Everything it logged, over all restarts.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        self.past.iter().cloned().chain(self.logs().lines()).collect()
    }

    /// The log of the process that runs now.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        self.running.process.logs()
    }
}

/// As Postman.
impl TestGateway {
    /// The URL that one would paste into Postman, token and all.
    #[must_use]
    pub fn hook_url(&self) -> String {
        self.client().url(&self.hook_path())
    }

    fn hook_path(&self) -> String {
        format!("/hooks/{}?token={}", Config::SOURCE, self.config.token())
    }

    /// A POST to the hook, with a valid token and nothing else yet.
    pub fn hook(&self) -> RequestBuilder {
        self.client().request(Method::POST, &self.hook_path())
    }

    /// Posts a body as Postman does.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        Answer::to(self.hook().header("content-type", "application/json").body(body)).await
    }

    /// Posts a body that must be accepted, and gives the event's id.
    ///
    /// # Panics
    /// When it is not accepted.
    pub async fn accept(&self, body: impl Into<reqwest::Body>) -> String {
        let answer = self.post(body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["event_id"].as_str().expect("an accepted event has an id").to_owned()
    }
}

/// As a program of a user with an API key.
impl TestGateway {
    /// Asks the API, whatever it answers.
    pub async fn ask(&self, path: &str) -> Answer {
        Answer::to(self.client().request(Method::GET, path).bearer_auth(self.config.api_key())).await
    }

    /// Asks the API for a resource that must be there.
    ///
    /// # Panics
    /// When the answer is not 200.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Does something by the API, whatever it answers; `body` is sent as JSON if it is anything.
    pub async fn act(&self, path: &str, body: Value) -> Answer {
        self.act_with(self.config.api_key(), path, body).await
    }

    /// Does something by the API with another key.
    pub async fn act_with(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self.client().request(Method::POST, path).bearer_auth(key);
        if body.is_null() {
            return Answer::to(request).await;
        }
        Answer::to(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Does something by the API that must be done, and gives the resource as it stands then.
    ///
    /// # Panics
    /// When the answer is not 200.
    pub async fn done(&self, path: &str, body: Value) -> Value {
        let answer = self.act(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The whole list at `path`, over all pages, newest first.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let mut page = self.get(&format!("{path}{separator}limit=500{cursor}")).await;
            let Value::Array(more) = page["items"].take() else { panic!("{path} is not a list: {page}") };
            items.extend(more);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// The delivery of an event to a destination, with its attempts.
    pub async fn delivery(&self, event: &str, destination: &str) -> Value {
        let path = format!("/api/v1/deliveries?event_id={event}&destination={destination}");
        let deliveries = self.list(&path).await;
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        let id = deliveries[0]["id"].as_str().expect("a delivery has an id");
        self.get(&format!("/api/v1/deliveries/{id}")).await
    }

    /// Waits until the delivery of an event to a destination is in `state`, and gives it with its attempts.
    pub async fn delivery_in_state(&self, event: &str, destination: &str, state: &str) -> Value {
        let what = format!("{destination}'s delivery of {event} to be {state}");
        eventually(&what, async || {
            let delivery = self.delivery(event, destination).await;
            (delivery["state"] == state).then_some(delivery)
        })
        .await
    }

    /// Waits until no delivery waits any more.
    pub async fn settled(&self) {
        eventually("all deliveries to be final", async || {
            for state in ["pending", "retrying"] {
                let waiting = self.get(&format!("/api/v1/deliveries?state={state}&limit=1")).await;
                if waiting["items"].as_array().is_some_and(|items| !items.is_empty()) {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }
}

/// As its operator.
impl TestGateway {
    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.running.process.hang_up();
    }

    /// Ends it like a power cut: SIGKILL, no last words.
    pub async fn kill(&mut self) {
        self.running.process.kill();
        self.ended().await;
    }

    /// Sends SIGTERM and waits until it has ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.ended().await
    }

    /// Sends SIGTERM. [`ended`](Self::ended) waits for the end.
    pub fn ask_to_end(&self) {
        self.running.process.ask_to_end();
    }

    /// Waits until it has ended and its log is complete.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn ended(&mut self) -> ExitStatus {
        self.running.process.ended().await
    }

    /// The most memory it has had so far, in bytes.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        self.running.process.memory_peak_bytes()
    }

    /// Lets it open so many files and connections, or with `None` as many as the system allows.
    pub fn limit_descriptors(&self, most: Option<u64>) {
        self.running.process.limit_descriptors(most);
    }

    /// Takes its disk away: every write to a file fails from now on.
    pub fn fill_disk(&self) {
        self.running.process.set_disk_full(true);
    }

    /// Gives it its disk back.
    pub fn free_disk(&self) {
        self.running.process.set_disk_full(false);
    }
}

//! No secret gets out: not into a log at debug level, a metric, an answer, or a file of the gateway's.

use std::{fs, path::Path};

use postroom_tests::{
    doubles::{Double, Itoc360, Provider, Receiver, Reply},
    harness::{Answer, Config, TestGateway, body, random_token},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{converse, retry, start};

/// Where an operator keeps the secrets. The gateway reads these and must not copy them anywhere.
const SECRET_FILES: [&str; 2] = ["postroom.toml", "forward-token"];

/// What must not be found anywhere.
struct Secrets(Vec<String>);

impl Secrets {
    /// Makes a new one.
    fn plant(&mut self) -> String {
        let secret = random_token();
        self.0.push(secret.clone());
        secret
    }

    #[track_caller]
    fn check_absent(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for secret in &self.0 {
            assert!(!text.contains(secret), "{place} tells a secret: {text}");
        }
    }

    fn check_absent_in_folder(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                self.check_absent_in_folder(&path);
            } else if !SECRET_FILES.contains(&name) {
                self.check_absent(name, &fs::read(&path).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn no_secret_gets_out() {
    let mut secrets = Secrets(Vec::new());
    let [itoc360_token, refused_token, forward_token, url_token] = [(); 4].map(|()| secrets.plant());
    let itoc360 = Double::start(Itoc360::new(&itoc360_token, Provider::PostmanMonitors));
    let unreachable = Double::start_down(Receiver);
    // Servers that repeat in their error pages what they were sent, as some do.
    let target = Double::start(Receiver);
    let page = format!("Cannot POST /?key={url_token} with {forward_token}");
    target.script([Reply::status(503), Reply::json(400, &page.into())]);
    let refusing = Double::start(Receiver);
    refusing.script([Reply::json(401, &json!({"error": format!("unknown token {refused_token}")}))]);

    let forward = format!(
        "config = {{ url = \"{}\", headers = {{ Authorization = {{ file = \"forward-token\" }} }} }}\n{}",
        target.url(&format!("/?key={url_token}")),
        retry(2, "10ms"),
    );
    let config = Config::new()
        .destination("incidents", "itoc360", &itoc360_settings(&itoc360, &itoc360_token))
        .destination("refused", "itoc360", &itoc360_settings(&refusing, &refused_token))
        .destination("target", "forward", &forward)
        .forward("unreachable", &unreachable.url(&format!("/?key={url_token}")), &retry(2, "10ms"))
        .route("a", "", "incidents")
        .route("b", "", "refused")
        .route("c", "", "target")
        .route("d", "", "unreachable")
        .file("forward-token", &forward_token);
    secrets.0.extend([config.token().to_owned(), config.api_key().to_owned()]);
    let mut gateway = start(config).await;

    let made = made_by_the_gateway(&gateway).await;
    secrets.0.extend(made);
    let mut answers = refusals(&gateway, &secrets.plant()).await;
    for body in [body::monitor_run("m", 1), "nothing known".to_owned()] {
        let event = gateway.accept(body).await;
        gateway.delivery_in_state(&event, "unreachable", "dead").await;
    }
    itoc360.at_least(1).await;
    refusing.at_least(1).await;
    target.at_least(3).await;
    answers.extend(everything_the_api_shows(&gateway).await);
    assert!(gateway.terminate().await.success());

    for answer in &answers {
        secrets.check_absent("an answer", format!("{:?}\n{}", answer.headers, answer.text()).as_bytes());
    }
    let log = gateway.log_lines();
    assert!(log.iter().any(|line| line.contains("\"DEBUG\"")), "the log is not at debug level");
    for line in &log {
        secrets.check_absent("the log", line.as_bytes());
    }
    secrets.check_absent_in_folder(gateway.folder());
    let planted = fs::read_to_string(gateway.folder().join(SECRET_FILES[0])).unwrap();
    assert!(
        planted.contains(&secrets.0[0]),
        "the secrets that were looked for are those that the gateway had"
    );
}

fn itoc360_settings(double: &Double, token: &str) -> String {
    format!("config = {{ base_url = \"{}\", token = \"{token}\" }}", double.url(""))
}

/// An API key and the cookie of a session, which the gateway has made and shown, after they were used.
async fn made_by_the_gateway(gateway: &TestGateway) -> [String; 2] {
    let made = gateway.done("/api/v1/keys", json!({"name": "made", "role": "operator"})).await;
    let key = made["key"].as_str().unwrap();
    let request = gateway.client().request(Method::POST, "/api/v1/session").bearer_auth(key);
    let begun = Answer::to(request).await;
    let cookie = begun.header("set-cookie").split(';').next().unwrap();
    let by_cookie = gateway.client().request(Method::POST, "/api/v1/destinations/target/pause");
    let by_cookie = by_cookie.header("cookie", cookie).header("sec-fetch-site", "same-origin");
    assert_eq!(Answer::to(by_cookie).await.status, 200);
    let resumed = gateway.act_with(key, "/api/v1/destinations/target/resume", Value::Null).await;
    assert_eq!(resumed.status, 200);
    [key.to_owned(), cookie.split_once('=').unwrap().1.to_owned()]
}

/// Gets refused in every way there is, with tokens in each request.
async fn refusals(gateway: &TestGateway, wrong: &str) -> Vec<Answer> {
    let token = gateway.config().token();
    let mut answers = Vec::new();
    for (method, path) in [
        (Method::POST, format!("/hooks/postman?token={wrong}")),
        (Method::POST, format!("/hooks/unknown?token={token}")),
        (Method::GET, format!("/hooks/postman?token={token}")),
        (Method::POST, format!("/hooks/postman/more?token={token}")),
        (Method::GET, format!("/nowhere?token={token}")),
        (Method::GET, format!("/api/v1/events?cursor={wrong}&token={token}")),
        (Method::GET, format!("/api/v1/events/{wrong}")),
    ] {
        for request in [
            gateway.client().request(method.clone(), &path),
            gateway.client().request(method, &path).bearer_auth(gateway.config().api_key()),
        ] {
            let answer = Answer::to(request.body("{}")).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.text());
            answers.push(answer);
        }
    }
    let too_large = format!(
        "POST /hooks/postman?token={token} HTTP/1.1\r\nhost: gateway\r\ncontent-length: {}\r\n\r\n",
        1_u64 << 40
    );
    let too_large = converse(gateway.address(), too_large.as_bytes()).await;
    assert!(too_large.starts_with("HTTP/1.1 413 ") && !too_large.contains(token), "{too_large}");
    let not_http = format!("POST /hooks/postman?token={token} HTTP/1.1\r\nno header\r\n\r\n");
    let not_http = converse(gateway.address(), not_http.as_bytes()).await;
    assert!(not_http.starts_with("HTTP/1.1 400 ") && !not_http.contains(token), "{not_http}");
    answers
}

async fn everything_the_api_shows(gateway: &TestGateway) -> Vec<Answer> {
    let mut paths: Vec<String> = [
        "/openapi.json",
        "/docs",
        "/metrics",
        "/health/live",
        "/health/ready",
        "/api/v1/events",
        "/api/v1/deliveries",
        "/api/v1/destinations",
        "/api/v1/keys",
        "/api/v1/audit",
        "/api/v1/session",
    ]
    .map(str::to_owned)
    .into();
    for (list, id) in [("events", "id"), ("deliveries", "id"), ("destinations", "name")] {
        let path = format!("/api/v1/{list}");
        let items = gateway.get(&path).await["items"].take();
        paths.extend(
            items.as_array().unwrap().iter().map(|item| format!("{path}/{}", item[id].as_str().unwrap())),
        );
    }
    assert!(paths.len() >= 8 + 2 + 8 + 4, "{paths:?}");
    let mut answers = Vec::new();
    for path in paths {
        let answer = gateway.ask(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        answers.push(answer);
    }
    answers
}

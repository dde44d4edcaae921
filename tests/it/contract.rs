//! Every operation against its description: what it answers when all is well, and to each wrong request. That an answer
//! is the one described is checked wherever a test asks the gateway (`harness::contract`); here nothing is left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, body, contract, eventually},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{program, retry, start};

/// What those may do too who may only read, although it is no GET.
const FOR_READERS: [&str; 3] = ["explainRoutes", "createSession", "endSession"];
const VIEWER: &str = "key-of-a-viewer-who-may-only-read";

/// Asks a gateway, and keeps what it answered to whom.
struct Asking {
    gateway: TestGateway,
    /// By operation; `null` where it is not JSON.
    answered: BTreeMap<&'static str, Value>,
}

impl Asking {
    async fn of(&self, method: &str, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.gateway.client().request(method.parse().unwrap(), path).bearer_auth(key);
        if body.is_null() {
            return Answer::to(request).await;
        }
        Answer::to(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Asks for something that is done, and gives what it says.
    async fn well(&mut self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.of(method, path, self.gateway.config().api_key(), &body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        let plain = path.split('?').next().unwrap();
        let operation = contract::operation_of(&method.parse().unwrap(), plain);
        let operation = operation.unwrap_or_else(|| panic!("{method} {path} is no operation"));
        let json = answer.header("content-type").starts_with("application/json");
        let said = if json { answer.json() } else { Value::Null };
        self.answered.insert(operation, said.clone());
        said
    }
}

/// What a program with nothing but a key does not do.
impl Asking {
    /// A session as a browser has it.
    async fn session(&mut self) {
        const PATH: &str = "/api/v1/session";
        let begun = self.of("POST", PATH, self.gateway.config().api_key(), &Value::Null).await;
        let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
        self.answered.insert("createSession", begun.json());
        for (method, operation) in [(Method::GET, "getSession"), (Method::DELETE, "endSession")] {
            let request = self.gateway.client().request(method, PATH).header("cookie", &cookie);
            let answer = Answer::to(request.header("sec-fetch-site", "same-origin")).await;
            assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
            self.answered.insert(operation, answer.json());
        }
    }

    /// The beginning of a stream, which has no end.
    async fn stream(&mut self) {
        let key = self.gateway.config().api_key();
        let request = self.gateway.client().request(Method::GET, "/api/v1/stream").bearer_auth(key);
        let mut answer = request.send().await.unwrap();
        let head = (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap());
        assert_eq!(head, (200, "text/event-stream"));
        assert!(answer.chunk().await.unwrap().is_some());
        self.answered.insert("followChanges", Value::Null);
    }
}

/// With `POSTROOM_BLESS`, what is answered here is what the document shows of each operation.
fn bless(answers: &BTreeMap<&str, Value>, folder: &Path) {
    /// A longer one shows nothing better.
    const BYTES_MAX: usize = 3_000;
    if std::env::var_os("POSTROOM_BLESS").is_none() {
        return;
    }
    let shown: BTreeMap<_, _> =
        answers.iter().filter(|(_, answer)| answer.to_string().len() <= BYTES_MAX).collect();
    let text = format!("{:#}\n", serde_json::to_value(shown).unwrap());
    let text = text
        .replace(folder.to_str().unwrap(), "/var/lib/postroom")
        .replace(program().plugins().to_str().unwrap(), "/usr/lib/postroom/plugins");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/src/examples/answers.json");
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .forward("target", &target.url("/"), &retry(0, ""))
        .backup("copies", "copies")
        .route("all", "", "target")
        .route("backups", "kinds = [\"collection_backup\"]", "copies");
    let gateway = start(config).await;
    target.script([503]);
    let dead = gateway.accept(body::activity("update")).await;
    gateway.delivery_in_state(&dead, "target", "dead").await;
    let run = gateway.accept(body::monitor_run("1e8eea47-e976-4b60-a122-11a5ba65085a", 2)).await;
    gateway.accept(body::collection_backup("c3ec8bf7-9b1a-4d0e-8d3f-2a1b0c9d8e7f", "Shop")).await;
    gateway.settled().await;
    let dead = gateway.delivery(&dead, "target").await["id"].as_str().unwrap().to_owned();
    let monitor = eventually("the monitor to be known", async || {
        gateway.list("/api/v1/monitors").await.first().cloned()
    })
    .await;
    let uid = monitor["uid"].as_str().unwrap().to_owned();
    let incident = gateway.list("/api/v1/incidents").await[0]["id"].as_str().unwrap().to_owned();

    let mut asking = Asking { gateway, answered: BTreeMap::new() };
    let hook = asking.gateway.post(body::monitor_run("another", 0)).await;
    assert_eq!(hook.status, 202);
    asking.answered.insert("receiveHook", hook.json());
    let nothing = || Value::Null;
    for (method, path, body) in [
        ("GET", "/api/v1/events?limit=2".to_owned(), nothing()),
        ("GET", format!("/api/v1/events/{run}"), nothing()),
        ("GET", format!("/api/v1/events/{run}/body"), nothing()),
        ("GET", "/api/v1/deliveries?limit=2".to_owned(), nothing()),
        ("GET", format!("/api/v1/deliveries/{dead}"), nothing()),
        ("POST", format!("/api/v1/deliveries/{dead}/retry"), nothing()),
        ("GET", "/api/v1/monitors".to_owned(), nothing()),
        ("GET", format!("/api/v1/monitors/{uid}"), nothing()),
        ("GET", format!("/api/v1/monitors/{uid}/runs"), nothing()),
        ("POST", format!("/api/v1/monitors/{uid}/mute"), json!({"for_s": 7200, "reason": "release"})),
        ("DELETE", format!("/api/v1/monitors/{uid}/mute"), nothing()),
        ("GET", "/api/v1/incidents".to_owned(), nothing()),
        ("GET", format!("/api/v1/incidents/{incident}"), nothing()),
        ("DELETE", format!("/api/v1/monitors/{uid}"), nothing()),
        ("GET", "/api/v1/destinations".to_owned(), nothing()),
        ("GET", "/api/v1/destinations/copies".to_owned(), nothing()),
        ("GET", "/api/v1/destinations/copies/actions".to_owned(), nothing()),
        ("POST", "/api/v1/destinations/copies/actions/collections".to_owned(), json!({})),
        ("POST", "/api/v1/destinations/copies/reload".to_owned(), nothing()),
        ("POST", "/api/v1/destinations/target/pause".to_owned(), nothing()),
        ("GET", "/api/v1/plugins".to_owned(), nothing()),
        ("GET", "/api/v1/plugins/backup".to_owned(), nothing()),
        ("POST", "/api/v1/config/reload".to_owned(), nothing()),
        ("GET", "/api/v1/sources".to_owned(), nothing()),
        ("GET", "/api/v1/sources/postman".to_owned(), nothing()),
        ("GET", "/api/v1/routes".to_owned(), nothing()),
        ("GET", "/api/v1/routes/all".to_owned(), nothing()),
        ("POST", "/api/v1/routes/explain".to_owned(), json!({"event_id": run})),
        ("GET", "/api/v1/config".to_owned(), nothing()),
        ("POST", "/api/v1/config/validate".to_owned(), json!({"toml": "[server]\nlisten = \"no address\""})),
        ("GET", "/api/v1/stats".to_owned(), nothing()),
        ("GET", "/api/v1/dead-letters".to_owned(), nothing()),
        ("GET", "/api/v1/keys".to_owned(), nothing()),
        ("POST", "/api/v1/keys".to_owned(), json!({"name": "grafana", "role": "viewer"})),
        ("DELETE", "/api/v1/keys/grafana".to_owned(), nothing()),
        ("GET", "/api/v1/audit".to_owned(), nothing()),
        ("GET", "/health/live".to_owned(), nothing()),
        ("GET", "/health/ready".to_owned(), nothing()),
        ("GET", "/metrics".to_owned(), nothing()),
    ] {
        asking.well(method, &path, body).await;
    }
    let waiting = asking.gateway.accept(body::activity("create")).await;
    let waiting = asking.gateway.delivery(&waiting, "target").await["id"].as_str().unwrap().to_owned();
    asking.well("POST", &format!("/api/v1/deliveries/{waiting}/cancel"), nothing()).await;
    asking.well("POST", "/api/v1/destinations/target/resume", nothing()).await;
    let filter = json!({"filter": {"destination": "target", "state": "delivered"}});
    let replay = asking.well("POST", "/api/v1/replays", filter).await;
    asking.well("GET", "/api/v1/replays", nothing()).await;
    let replay = format!("/api/v1/replays/{}", replay["id"].as_str().unwrap());
    asking.well("GET", &replay, nothing()).await;
    asking.well("POST", &format!("{replay}/cancel"), nothing()).await;

    asking.session().await;
    asking.stream().await;

    let described: BTreeSet<&str> = contract::operations().collect();
    let answered: BTreeSet<&str> = asking.answered.keys().copied().collect();
    assert_eq!(answered, described, "each operation is asked here");
    // The one answer that has a secret in it is shown by the contract itself.
    asking.answered.retain(|operation, said| !said.is_null() && *operation != "createKey");
    bless(&asking.answered, asking.gateway.folder());
}

/// What is wrong with a request, whatever it asks for.
#[tokio::test]
async fn every_operation_refuses_as_it_is_described() {
    let config = Config::new().key("vera", "viewer", VIEWER);
    let gateway = start(config.section("api", "failures_per_minute = 100000")).await;
    let asking = Asking { gateway, answered: BTreeMap::new() };
    let admin = asking.gateway.config().api_key().to_owned();
    let document: Value = serde_json::from_str(include_str!("../../openapi/postroom.json")).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let named = path.replace(['{', '}'], "");
        let there = operations.as_object().unwrap();
        for (method, operation) in there {
            let method = method.to_uppercase();
            let keyed = operation["security"].to_string().contains("apiKey");
            if !keyed {
                continue;
            }
            asking.of(&method, &named, "nobody's", &Value::Null).await.assert_problem(401, "unauthorized");
            let unknown = format!("{named}?nonsense=1");
            asking.of(&method, &unknown, &admin, &Value::Null).await.assert_problem(400, "invalid_parameter");
            let reads = FOR_READERS.iter().any(|reads| operation["operationId"] == *reads);
            if method != "GET" && !reads {
                asking.of(&method, &named, VIEWER, &Value::Null).await.assert_problem(403, "forbidden");
            }
            if operation.get("requestBody").is_some() {
                let body = json!({"nonsense": 1});
                let refused = asking.of(&method, &named, &admin, &body).await;
                assert!(refused.status.is_client_error(), "{method} {named}: {}", refused.text());
            }
            if path.contains('{') {
                let refused = asking.of(&method, &named, &admin, &json!({})).await;
                assert!(refused.status.is_client_error(), "{method} {named}: {}", refused.text());
            }
        }
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] {
            if !there.contains_key(&method.to_lowercase()) {
                let refused = asking.of(method, &named, &admin, &Value::Null).await;
                refused.assert_problem(405, "method_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn a_head_is_the_get_without_its_body() {
    let gateway = start(Config::new()).await;
    for path in ["/api/v1/events", "/api/v1/destinations", "/health/ready", "/openapi.json"] {
        let request = gateway.client().request(Method::HEAD, path).bearer_auth(gateway.config().api_key());
        let answer = Answer::to(request).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{path}");
        assert!(!answer.header("content-type").is_empty(), "{path}");
    }
}

#[test]
fn every_code_of_a_problem_has_a_page_that_tells_the_truth() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    let document: Value = serde_json::from_str(include_str!("../../openapi/postroom.json")).unwrap();
    let codes = document["components"]["schemas"]["ProblemCode"]["x-extensible-enum"].as_array().unwrap();
    let codes: BTreeSet<String> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    let pages = fs::read_dir(&folder).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> =
        pages.filter(|page| page != "README.md").map(|page| page.replace(".md", "")).collect();
    assert_eq!(pages, codes);
    let list = fs::read_to_string(folder.join("README.md")).unwrap();
    let guide = fs::read_to_string(folder.join("../user-guide.md")).unwrap();
    for code in codes {
        let page = fs::read_to_string(folder.join(format!("{code}.md"))).unwrap();
        let (_, shown) = page.split_once("```json\n").unwrap();
        let shown: Value = serde_json::from_str(shown.split("```").next().unwrap()).unwrap();
        let status = shown["status"].as_u64().unwrap();
        assert_eq!(shown["code"], *code);
        assert!(page.contains(&format!("Status {status}.")), "{code}");
        assert!(list.contains(&format!("| {status} | [`{code}`]({code}.md) |")), "{code}");
        assert!(guide.contains(&format!("| {status} | `{code}` |")), "{code} in user-guide.md");
        contract::check_problem(&shown);
    }
}

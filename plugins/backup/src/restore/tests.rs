//! Against the strict double, in paused time.

mod corpus;
mod creating;
mod random;
mod replacing;
mod strictness;
mod troubles;

use std::{fmt, sync::Arc, time::Duration};

use postroom_postman_double::{self as double, Habits, Trouble};
use postroom_sdk::{Bytes, Failure, Secret};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{
    Error, Postman, Rehearsed, Restored, Session, Target,
    exchange::{Answer, Ask, Exchange, Transport},
};
use crate::config;

const KEY: &str = "PMAK-000000000000000000000000-key";
const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
/// An action's time.
const TIME: Duration = Duration::from_secs(300);

/// The way to the double, without a network.
#[derive(Clone)]
pub(super) struct Line {
    double: Arc<double::Postman>,
    begun: tokio::time::Instant,
}

impl Line {
    pub(super) async fn send(&self, key: &str, ask: &Ask) -> Result<Answer, Failure> {
        let mut headers = vec![("x-api-key", key), ("accept", "application/json")];
        headers.extend(ask.body.as_ref().map(|_| ("content-type", "application/json")));
        headers.extend(ask.prefer.map(|prefer| ("prefer", prefer)));
        let request = double::Request {
            method: ask.method.to_string(),
            path: ask.path.clone(),
            query: ask.query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: ask.body.as_deref().unwrap_or_default().to_vec(),
        };
        let reply = self.double.answer(&request, self.begun.elapsed());
        let reply = reply.ok_or_else(|| Failure::retry("transport", "the connection failed"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in reply.headers {
            let name = HeaderName::try_from(name.to_ascii_lowercase()).unwrap();
            headers.append(name, HeaderValue::try_from(value).unwrap());
        }
        Ok(Answer { status: reply.status, headers, body: reply.body.into() })
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// Postman and what restores to it.
struct Scene {
    double: Arc<double::Postman>,
    postman: Postman,
}

impl Scene {
    fn new() -> Self {
        Self::with(Habits::default(), json!({}))
    }

    fn with(habits: Habits, settings: Value) -> Self {
        let double = Arc::new(double::Postman::new(habits));
        let mut all = json!({ "api_key": { "$secret": "key" }, "workspace": "team" });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let settings: config::Postman = serde_json::from_value(all).unwrap();
        let line = Line { double: Arc::clone(&double), begun: tokio::time::Instant::now() };
        let exchange = Exchange::new(&settings.base_url, Transport::Double(line), || 1_795_289_807_042);
        Self { double, postman: Postman::with(exchange.unwrap(), &settings) }
    }

    async fn restore(&self, body: &Value, target: Target) -> Result<Restored, Error> {
        self.restore_bytes(body.to_string().into(), target).await
    }

    async fn restore_bytes(&self, body: Bytes, target: Target) -> Result<Restored, Error> {
        self.postman.restore(&session(TIME), body, &target).await
    }

    async fn rehearse(&self, body: &Value, target: Target) -> Result<Rehearsed, Error> {
        self.postman.rehearse(&session(TIME), body.to_string().into(), &target).await
    }
}

fn session(time: Duration) -> Session {
    Session::new(Secret::new(KEY), time)
}

fn new() -> Target {
    Target::New { workspace: None, name: None }
}

fn over() -> Target {
    Target::Over { collection: None, name: None }
}

/// A collection of v2.1 as Postman has it.
fn shop(request: &str) -> Value {
    json!({
        "info": { "_postman_id": ID, "name": "Shop", "schema": SCHEMA },
        "item": [{
            "name": "Orders", "id": "f1", "item": [{
                "name": request, "id": "r1",
                "request": { "method": "GET", "header": [], "url": { "raw": "https://shop.example/orders" } },
                "response": [{ "id": "e1", "name": "ok", "code": 200, "body": "{}" }],
                "event": [{ "listen": "test", "script": { "id": "s1", "exec": ["pm.test('x')"] } }]
            }]
        }],
        "variable": [{ "id": "v1", "key": "token", "value": "1" }]
    })
}

/// The same in v2.0, as a backup has it.
fn backup(request: &str) -> Value {
    let mut backup = shop(request);
    backup["info"]["schema"] = json!(SCHEMA.replace("v2.1.0", "v2.0.0"));
    backup["item"][0]["item"][0]["request"]["url"] = json!("https://shop.example/orders");
    backup["auth"] = json!({ "type": "apikey", "apikey": { "key": "X-Auth", "value": "{{key}}" } });
    backup
}

#[test]
fn the_client_refuses_addresses_where_clouds_keep_credentials() {
    let line = || Line {
        double: Arc::new(double::Postman::new(Habits::default())),
        begun: tokio::time::Instant::now(),
    };
    for (url, is_fine) in [("http://169.254.169.254/", false), ("http://127.0.0.1:1/", true), ("no", false)] {
        assert_eq!(Exchange::new(url, Transport::Double(line()), || 0).is_ok(), is_fine, "{url}");
    }
    assert!(Url::parse("https://api.getpostman.com").is_ok());
}

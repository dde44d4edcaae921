//! The bodies that Postman sends, key by key in its order and types. Names and ids are invented.
//!
//! Everything is a pure function of its arguments: the same monitor name gives the same monitor, so that a failing
//! run and a passing one after it are about the same thing.

use clap::ValueEnum;
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

const COLLECTION: &str = "Checkout API";
const ENVIRONMENT: &str = "Production";
const USER: &str = "Robin Example";
/// Postman puts the owner before collection and environment ids, but not before those of monitors.
const OWNER: &str = "4711";

/// How the counters of a monitor run are spelled; both spellings are in the wild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum Spelling {
    /// failedTests, errors: as in Postman's documents
    Documented,
    /// failedTestCount, errorCount
    Count,
}

/// The result of run number `number` of the monitor called `monitor`.
pub(in crate::commands) fn monitor_run(
    monitor: &str,
    failing: bool,
    spelling: Spelling,
    number: u64,
) -> Vec<u8> {
    let (failed, passed) = if failing { (2, 40) } else { (0, 42) };
    // Requests take a little longer or shorter from run to run.
    let latency_ms = 1_180 + number * 37 % 400;
    let metrics = match spelling {
        Spelling::Documented => json!({
            "errors": 0,
            "failedTests": failed,
            "passedTests": passed,
            "requestCount": 14,
            "totalLatency": latency_ms,
            "warnings": 0,
        }),
        Spelling::Count => json!({
            "errorCount": 0,
            "failedTestCount": failed,
            "passedTestCount": passed,
            "requestCount": 14,
            "totalLatency": latency_ms,
            "warningCount": 0,
        }),
    };
    bytes(&json!({
        "collection_name": COLLECTION,
        "collection_uid": owned("collection", COLLECTION),
        "user_name": USER,
        "user_id": OWNER,
        "monitor_name": monitor,
        "monitor_uid": id("monitor", monitor).to_string(),
        "environment_name": ENVIRONMENT,
        "environment_uid": owned("environment", ENVIRONMENT),
        "metrics": metrics,
    }))
}

/// A backup of a small collection after its change number `number`.
pub(in crate::commands) fn collection_backup(number: u64) -> Vec<u8> {
    let request = |name: &str, method: &str, path: &str| {
        json!({
            "name": name,
            "id": id("request", name).to_string(),
            "request": { "method": method, "header": [], "url": format!("{{{{base_url}}}}/{path}") },
            "response": [],
        })
    };
    let script = ["pm.test(\"status is 200\", () => pm.response.to.have.status(200));"];
    let collection = json!({
        "info": {
            "_postman_id": id("collection", COLLECTION).to_string(),
            "name": COLLECTION,
            "description": format!("Carts, payments and orders. Revision {number}."),
            // The backup service writes v2.0.0, while Postman's API speaks v2.1.0.
            "schema": "https://schema.getpostman.com/json/collection/v2.0.0/collection.json",
        },
        "item": [
            { "name": "Carts", "item": [
                request("Create a cart", "POST", "carts"),
                request("Get a cart", "GET", "carts/{{cart}}"),
            ] },
            request("Pay", "POST", "payments"),
        ],
        "auth": { "type": "bearer", "bearer": { "token": "{{token}}" } },
        "event": [{
            "listen": "test",
            "script": { "id": id("script", COLLECTION).to_string(), "type": "text/javascript", "exec": script },
        }],
        "variable": [{ "key": "base_url", "value": "https://api.example.com" }],
    });
    bytes(&json!({ "collection": collection }))
}

/// A backup whose collection is exactly `collection`, byte for byte.
pub(in crate::commands) fn backup_of(collection: &[u8]) -> Vec<u8> {
    [b"{\"collection\": ".as_slice(), collection, b"}"].concat()
}

/// Entry number `number` of an activity feed: somebody changed a request.
pub(in crate::commands) fn activity(number: u64) -> Vec<u8> {
    let (action, verb) = match number % 3 {
        0 => ("update", "updated"),
        1 => ("create", "created"),
        _ => ("delete", "deleted"),
    };
    let request = "Get a cart";
    bytes(&json!({
        "action": action,
        "model": "request",
        "user_id": OWNER,
        "user_name": USER,
        "model_uid": owned("request", request),
        "model_name": request,
        "collection_uid": owned("collection", COLLECTION),
        "collection_name": COLLECTION,
        "message": format!("{USER} {verb} a request {request} in the {COLLECTION} collection"),
    }))
}

/// A UUID that looks random and always is the same for the same name (FNV-1a, once for each half).
fn id(kind: &str, name: &str) -> Uuid {
    let half = |seed: u64| {
        kind.bytes().chain([0]).chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    Builder::from_random_bytes((u128::from(half(0)) << 64 | u128::from(half(1))).to_be_bytes()).into_uuid()
}

fn owned(kind: &str, name: &str) -> String {
    format!("{OWNER}-{}", id(kind, name))
}

fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests;

//! `cargo xtask vendor-sdk`: what the vendor's own SDK for Python sends to the double of ITOC360, beside what is kept of it.

use std::{fs, process::ExitCode};

use postroom_itoc360_double as itoc360;
use postroom_tests::doubles::{Double, Itoc360, Provider, vendor};
use serde_json::{Value, json};
use tokio::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/doubles/itoc360/vendor.py");
/// Set, it has the golden file written anew.
const BLESS: &str = "POSTROOM_BLESS";
const TOKEN: &str = "itoc360-source-token";
const OTHER_TOKEN: &str = "itoc360-token-for-alerts";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(python) = std::env::args().nth(1) else {
        say("error: which python? cargo xtask vendor-sdk knows");
        return ExitCode::from(2);
    };
    match compare(&python).await {
        Ok(said) => {
            say(&format!("{said}\n1 passed, 0 failed"));
            ExitCode::SUCCESS
        }
        Err(fault) => {
            say(&format!("error: {fault}\n0 passed, 1 failed"));
            ExitCode::FAILURE
        }
    }
}

async fn compare(python: &str) -> Result<String, String> {
    let tenant = itoc360::Itoc360::new(TOKEN, Provider::PostmanMonitors)
        .with_source(OTHER_TOKEN, Provider::Alertmanager);
    let tenant = Itoc360::of(tenant);
    let double = Double::start(tenant.clone());
    let script = Command::new(python)
        .args([SCRIPT, &double.url(""), OTHER_TOKEN, TOKEN, "a-token-of-no-source"])
        .output()
        .await
        .map_err(|error| format!("{python} cannot be run: {error}"))?;
    if !script.status.success() {
        return Err(format!("the SDK failed: {}", String::from_utf8_lossy(&script.stderr)));
    }
    understood(&serde_json::from_slice(&script.stdout).map_err(|error| error.to_string())?)?;
    if !tenant.is_open("m") || tenant.incidents().len() != 2 {
        return Err(format!(
            "these are not the incidents of an alert, its end and a run: {:?}",
            tenant.incidents()
        ));
    }
    let mut sent: Vec<Value> = double.taken().iter().map(vendor::shown).collect();
    // Each destination has a token of its own; here one double has both sources.
    for request in &mut sent {
        request["authorization"] = format!("Bearer {TOKEN}").into();
    }
    if std::env::var_os(BLESS).is_some() {
        let golden = format!("{:#}\n", Value::Array(sent));
        fs::write(vendor::GOLDEN, golden).map_err(|error| format!("{}: {error}", vendor::GOLDEN))?;
        return Ok(format!("{} is written", vendor::GOLDEN));
    }
    if sent != vendor::golden() {
        return Err(format!(
            "the SDK sends something else than {} says; {BLESS}=1 writes it anew:\n{:#}",
            vendor::GOLDEN,
            Value::Array(sent)
        ));
    }
    Ok(format!("the SDK sends what {} says, and understands the double", vendor::GOLDEN))
}

/// Whether the SDK found in the double's replies what it looks for.
fn understood(said: &Value) -> Result<(), String> {
    let reply = |kind| json!({ "type": kind, "fingerprint": "m", "whole": true });
    let expected = json!({
        "replies": [reply("ALERT"), reply("RESOLVE"), reply("ALERT")],
        "refused": { "status": 404, "unauthorized": true, "message": "Source not found" },
    });
    if *said == expected { Ok(()) } else { Err(format!("the SDK understood something else: {said:#}")) }
}

#[expect(clippy::print_stdout, reason = "the one place where this program speaks")]
fn say(line: &str) {
    println!("{line}");
}

//! How much room a thousand versions of a collection of one megabyte take, each with one request changed: as plain copies, in
//! the plugin's vault, and in git before and after it has packed.
//!
//! `cargo run --release -p postroom-plugin-backup --example space`
#![expect(clippy::print_stdout, reason = "it is for a person")]

use std::{fs, io, path::Path, process::Command, time::Duration};

use postroom_plugin_backup::Backup;
use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness};
use serde_json::{Value, json};

const VERSIONS: u32 = 1000;
const REQUESTS: u32 = 800;
const COLLECTION: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";

fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let (vault, git) = (folder.path().join("vault"), folder.path().join("git"));
    fs::create_dir(&git)?;
    run_git(&git, &["init", "--quiet"])?;
    // A person's push is packed now and then; here once, at the end, to see both.
    run_git(&git, &["config", "gc.auto", "0"])?;
    let harness = PluginHarness::<Backup>::builder()
        .config(json!({ "root": vault, "path": "" }))
        .start()
        .map_err(|error| io::Error::other(format!("{error:?}")))?;

    let mut plain = 0;
    let mut requests: Vec<Value> = (0..REQUESTS).map(|number| request(number, 0)).collect();
    for version in 0..VERSIONS {
        let place = usize::try_from(version.wrapping_mul(7919) % REQUESTS).unwrap_or_default();
        requests[place] = request(version.wrapping_mul(7919) % REQUESTS, version);
        let body = collection(&requests);
        plain += body.len() as u64;
        let outcome = harness.deliver(&EventFixture::collection_backup(&body));
        if outcome.kind != OutcomeKind::Delivered {
            return Err(io::Error::other(format!("{outcome:?}")));
        }
        harness.advance(Duration::from_secs(180));
        fs::write(git.join("collection.json"), &body)?;
        run_git(&git, &["add", "collection.json"])?;
        run_git(
            &git,
            &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a version"],
        )?;
    }
    let loose = bytes_in(&git.join(".git"))?;
    run_git(&git, &["gc", "--quiet", "--aggressive", "--prune=now"])?;
    let versions = harness
        .act("versions", &json!({ "collection": COLLECTION }))
        .map_err(|error| io::Error::other(error.to_string()))?;
    println!("{} versions of {} KB", versions["total"], plain / u64::from(VERSIONS) / 1000);
    for (name, bytes) in [
        ("plain copies", plain),
        ("the vault", bytes_in(&vault)?),
        ("git, before it packs", loose),
        ("git, after it has packed", bytes_in(&git.join(".git"))?),
    ] {
        println!("{name:26} {:9.1} MB", bytes as f64 / 1e6);
    }
    Ok(())
}

/// A request with a description and an example, as people write them.
fn request(number: u32, version: u32) -> Value {
    let mut words = String::new();
    let mut state = u64::from(number) << 20 | u64::from(version);
    for _ in 0..90 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words.push_str(
            ["order", "is", "created", "the", "payment", "of", "a", "customer"][(state >> 33) as usize % 8],
        );
        words.push(' ');
    }
    json!({
        "name": format!("Request {number}"),
        "id": format!("{number:08x}-0000-4000-8000-000000000000"),
        "request": {
            "method": "POST",
            "url": format!("{{{{base_url}}}}/v1/orders/{number}"),
            "header": [{ "key": "Content-Type", "value": "application/json" }],
            "description": words,
            "body": { "mode": "raw", "raw": format!("{{\"order\":{number},\"state\":{state}}}") },
        },
        "response": [{ "name": "ok", "code": 200, "body": format!("{{\"id\":{state},\"text\":\"{}\"}}", &words[..200]) }],
    })
}

fn collection(requests: &[Value]) -> String {
    let schema = "https://schema.getpostman.com/json/collection/v2.0.0/collection.json";
    let info = json!({ "_postman_id": COLLECTION, "name": "Orders", "schema": schema });
    format!("{:#}", json!({ "info": info, "item": requests }))
}

fn run_git(folder: &Path, args: &[&str]) -> io::Result<()> {
    let status = Command::new("git").arg("-C").arg(folder).args(args).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("git {args:?}: {status}"))) }
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.metadata()?;
        bytes += if file.is_dir() { bytes_in(&entry.path())? } else { file.len() };
    }
    Ok(bytes)
}

//! The examples in C that authors begin with: they are built as their first lines say, keep every rule, and work together.

use std::{fs, path::Path, process::Command};

use postroom_tests::harness::{Config, TestGateway, body, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::program;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/c/examples");
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Builds every example into `folder`; gives the names of the libraries.
fn build_all(folder: &Path) -> Vec<String> {
    let sources =
        fs::read_dir(EXAMPLES).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    sources.map(|source| build(&source, folder)).collect()
}

/// Builds one by the command in the comment that it begins with.
fn build(source: &str, folder: &Path) -> String {
    let text = fs::read_to_string(Path::new(EXAMPLES).join(source)).unwrap();
    let comment = text.split("*/").next().unwrap();
    let command = comment.lines().find_map(|line| line.trim_start().strip_prefix("cc ")).unwrap();
    let (arguments, library) = command.trim_end().split_once(" -o ").unwrap();
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .current_dir(EXAMPLES)
        .args(arguments.split_whitespace())
        .args(STRICT)
        .arg("-o")
        .arg(folder.join(library))
        .output()
        .expect("the tests need a C compiler");
    assert!(built.status.success(), "{source}: {}", String::from_utf8_lossy(&built.stderr));
    library.to_owned()
}

#[tokio::test]
async fn every_example_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    let libraries = build_all(folder.path());
    assert!(libraries.len() >= 3, "{libraries:?}");
    for library in libraries {
        let checked = program().run(folder.path(), ["plugin", "conformance", &format!("./{library}")]).await;
        assert_eq!(checked.code, Some(0), "{library}\n{}\n{}", checked.stdout, checked.stderr);
    }
}

#[tokio::test]
async fn what_one_example_makes_another_one_counts() {
    let plugins = TempDir::new().unwrap();
    build_all(plugins.path());
    let config = Config::new()
        .destination("pages", "emit", "emit = true")
        .destination("count", "actions", "")
        .destination("mute", "emit", "")
        .route("runs", "kinds = [\"monitor_run\"]", "pages")
        .route("pages", "kinds = [\"page_opened\"]", "count")
        .route("too", "kinds = [\"monitor_run\"]", "mute");
    let program = program().with_variables([("POSTROOM_PLUGINS_PATH", plugins.path().into())]);
    let gateway = TestGateway::start(&program, config).await;

    let failed = gateway.accept(body::monitor_run("night", 1)).await;
    let delivery = gateway.delivery_in_state(&failed, "pages", "delivered").await;
    let delivery = gateway.get(&format!("/api/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await;
    let made = delivery["attempts"][0]["record"]["made"].as_str().unwrap();
    let page = gateway.get(&format!("/api/v1/events/{made}")).await;
    assert_eq!((&page["kind"], &page["verdict"]), (&json!("page_opened"), &json!("failed")), "{page}");
    assert_eq!(page["made_by"], json!({ "destination": "pages", "hops": 1 }), "{page}");
    gateway.delivery_in_state(made, "count", "delivered").await;
    let counted = gateway.act("/api/v1/destinations/count/actions/count", Value::Null).await;
    assert_eq!(counted.json(), json!({ "output": { "events": 1 } }));

    let passed = gateway.accept(body::monitor_run("noon", 0)).await;
    gateway.delivery_in_state(&passed, "pages", "skipped").await;
    let muted = eventually("the destination without the grant to say so", async || {
        let destination = gateway.get("/api/v1/destinations/mute").await;
        destination["detail"].is_string().then_some(destination)
    })
    .await;
    assert_eq!(muted["detail"], "the destination lacks emit = true");
}

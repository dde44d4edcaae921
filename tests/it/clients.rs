//! The client in Rust, as its users meet it. Those in other languages need more than cargo: `cargo xtask clients`.

use std::{ffi::OsStr, process::Command};

use postroom_tests::stories::Stage;

use crate::support::program;

#[tokio::test]
async fn the_rust_client_tells_the_whole_story_and_understands_a_gateway_of_tomorrow() {
    let stage = Stage::start(&program()).await;
    stage.tell(OsStr::new(env!("CARGO_BIN_EXE_story-in-rust")), &[]).await.unwrap();
}

/// Whoever builds the package has nothing but what is in it.
#[test]
fn the_package_of_the_rust_client_has_the_document() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/clients/rust/Cargo.toml");
    let listed = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "--manifest-path", manifest])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().any(|file| file == "postroom.json"), "{listed}");
    let packaged = std::fs::read(manifest.replace("Cargo.toml", "postroom.json")).unwrap();
    assert!(packaged == include_bytes!("../../openapi/postroom.json"), "a copy, not a link");
}

//! `cargo xtask collection-schema`: whether what a restore sends to Postman keeps to Postman's own JSON Schema of collections.
//! The schema and the program that reads it come from the registry of crates, into a workspace of its own (`tests/schema`).

use std::{fs, process::ExitCode};

use anyhow::Context as _;

use crate::{cargo, root, target_folder};

const TEST: &str = "restore::tests::corpus::every_collection_can_be_restored";

/// Restores every collection that there is, those of `POSTROOM_CORPUS` too, and checks what was sent.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let folder = target_folder()?.join("collection-schema");
    let restored = folder.join("restored");
    if restored.exists() {
        fs::remove_dir_all(&restored).with_context(|| format!("cannot empty {}", restored.display()))?;
    }
    fs::create_dir_all(&restored).with_context(|| format!("cannot make {}", restored.display()))?;
    let build = folder.join("build");
    let manifest = root().join("tests/schema/Cargo.toml");
    let [restored, build, manifest] = [&restored, &build, &manifest]
        .map(|path| path.to_str().context("the path of the repository or its target is not Unicode"));
    let (restored, build, manifest) = (restored?, build?, manifest?);

    let test = ["test", "--package", "postroom-plugin-backup", "--lib", "--", "--exact", TEST];
    let sent = cargo(&test, &[("POSTROOM_RESTORED", restored)])?;
    if sent != ExitCode::SUCCESS {
        return Ok(sent);
    }
    let check =
        ["run", "--quiet", "--locked", "--target-dir", build, "--manifest-path", manifest, "--", restored];
    cargo(&check, &[])
}

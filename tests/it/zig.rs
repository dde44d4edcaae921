//! The contract is the C header, so a language that reads C headers needs no SDK: the example in Zig is built and keeps every
//! rule.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::program;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// What Zig compiles once and not for every run of the tests.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/zig");

/// How Zig is called here, if it is: `ZIG` names it, it is on the path, or it came with `pip install ziglang`.
fn zig() -> Option<Vec<String>> {
    let named = env::var("ZIG").ok().map(|zig| vec![zig]);
    let usual = [vec!["zig".to_owned()], ["python3", "-m", "ziglang"].map(str::to_owned).to_vec()];
    named.into_iter().chain(usual).find(|zig| {
        let mut version = command(zig);
        version
            .arg("version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    })
}

fn command(zig: &[String]) -> Command {
    let mut command = Command::new(&zig[0]);
    command.args(&zig[1..]).env("ZIG_GLOBAL_CACHE_DIR", CACHE).env("ZIG_LOCAL_CACHE_DIR", CACHE);
    command
}

#[track_caller]
fn done(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Builds the example as its first lines say.
fn build(zig: &[String], folder: &Path) -> PathBuf {
    let library = folder.join("libpostroom_plugin_hello.so");
    let header = Path::new(ROOT).join("sdk/c/postroom_plugin.h");
    let translated = done(command(zig).args(["translate-c", "-lc"]).arg(header));
    fs::write(folder.join("postroom_plugin.zig"), translated).unwrap();
    done(
        command(zig)
            .args(["build-lib", "-dynamic", "-O", "ReleaseSmall", "-lc", "--dep", "postroom_plugin"])
            .arg(format!("-Mroot={ROOT}/sdk/zig/hello.zig"))
            .arg("-Mpostroom_plugin=postroom_plugin.zig")
            .arg(format!("-femit-bin={}", library.display()))
            .current_dir(folder),
    );
    library
}

#[tokio::test]
async fn the_example_in_zig_keeps_every_rule() {
    let Some(zig) = zig() else {
        // Past the harness of the tests, which would keep it to itself.
        writeln!(std::io::stderr(), "skipped: there is no zig; pip install ziglang, or set ZIG").unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let library = build(&zig, folder.path());
    let arguments = ["plugin", "conformance", library.to_str().unwrap()];
    let checked = program().run(folder.path(), arguments).await;
    assert_eq!(checked.code, Some(0), "{}\n{}", checked.stdout, checked.stderr);
}

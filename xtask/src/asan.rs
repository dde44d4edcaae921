//! `cargo xtask asan`: the host, plugins in C and the SDK under the address sanitizer, one side after the other.
//!
//! Both sides of the boundary in one process, as the child process has them. The sandbox and a sanitizer's memory do not go
//! together, so what runs in processes of its own stays out.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{cargo_command, exit_code, root, run_command, target_folder};

/// Tests in which the host reads a plugin's memory, a plugin reads the host's, or either reads what strangers wrote.
const TESTS: &[&str] =
    &["native::", "wire::", "inspect::", "outcome::", "fuzzing::", "child::frames", "child::mapping"];
/// What a host gives a plugin is never freed, so that a call that comes too late meets live memory.
const OPTIONS: &str = "detect_leaks=0:detect_stack_use_after_return=1";

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let folder = target_folder()?.join("asan");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for side in [in_c, plugins, host, sdk] {
        let code = side(&folder)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A host in C with a plugin in C: the oldest of either that has to work.
fn in_c(folder: &Path) -> anyhow::Result<ExitCode> {
    let golden = root().join("sdk/abi/golden/1.0");
    let (host, plugin) = (folder.join("host"), folder.join("libplugin.so"));
    let compile = |arguments: &[&str], source: &str, to: &Path| {
        let mut compiler = Command::new("cc");
        compiler
            .args(["-std=gnu11", "-g", "-fsanitize=address"])
            .args(arguments)
            .arg("-o")
            .args([to, &golden.join(source)]);
        run_command(compiler.args(["-ldl", "-pthread"]), "cc")
    };
    let built = [compile(&[], "host.c", &host)?, compile(&["-shared", "-fPIC"], "plugin.c", &plugin)?];
    if built != [ExitCode::SUCCESS; 2] {
        bail!("cannot compile the plugin and the host of ABI 1.0");
    }
    let mut host = Command::new(&host);
    run_command(host.arg(plugin).arg("{}").env("ASAN_OPTIONS", OPTIONS), "the host of ABI 1.0")
}

/// The host as it is, plugins in C with the sanitizer: what they read of the host's memory, and when.
fn plugins(folder: &Path) -> anyhow::Result<ExitCode> {
    let compiler = folder.join("cc");
    fs::write(&compiler, "#!/bin/sh\nexec cc -fsanitize=address -fno-omit-frame-pointer -g \"$@\"\n")
        .and_then(|()| fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)))
        .with_context(|| format!("cannot write {}", compiler.display()))?;
    let runtime = Command::new("cc").arg("-print-file-name=libasan.so").output().context("there is no cc")?;
    let runtime = String::from_utf8(runtime.stdout)?.trim().to_owned();
    if !Path::new(&runtime).is_file() {
        bail!("the C compiler has no address sanitizer: install its libasan");
    }
    let mut tests = tests();
    // Only the tests are to have the runtime, not cargo and the compilers.
    let runner = format!("CARGO_TARGET_{}_RUNNER", host_triple()?.to_uppercase().replace('-', "_"));
    tests.env("CC", compiler).env(runner, format!("env LD_PRELOAD={runtime} ASAN_OPTIONS={OPTIONS}"));
    Ok(exit_code(tests.args(filters()).status().context("cannot run cargo")?))
}

/// The host with the sanitizer, plugins as they are: what the host reads of theirs.
fn host(folder: &Path) -> anyhow::Result<ExitCode> {
    let mut tests = sanitized(tests(), folder)?;
    Ok(exit_code(tests.args(filters()).status().context("cannot run cargo")?))
}

/// The SDK with the sanitizer, over its own test host: what it reads of a host's memory, and what it gives away.
fn sdk(folder: &Path) -> anyhow::Result<ExitCode> {
    let mut tests = sanitized(cargo_command(&["test", "--package", "postroom-sdk", "--lib"]), folder)?;
    Ok(exit_code(tests.status().context("cannot run cargo")?))
}

/// `tests` built with the sanitizer. The flag is one of nightly compilers, which the stable one takes when it is told to.
fn sanitized(mut tests: Command, folder: &Path) -> anyhow::Result<Command> {
    // Naming the target keeps the flag from build scripts and macros.
    tests.args(["--target", &host_triple()?, "--target-dir"]).arg(folder);
    tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address").env("ASAN_OPTIONS", OPTIONS);
    Ok(tests)
}

fn tests() -> Command {
    cargo_command(&["test", "--package", "postroom-host", "--lib"])
}

fn filters() -> impl Iterator<Item = &'static str> {
    std::iter::once("--").chain(TESTS.iter().copied())
}

/// The machine that this is, as the compiler calls it.
fn host_triple() -> anyhow::Result<String> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(compiler).arg("-vV").output().context("cannot run rustc")?;
    let said = String::from_utf8(said.stdout)?;
    let triple = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("rustc does not say what machine this is")?.to_owned())
}

//! The bundled plugins, which are made with the SDK, on a gateway of every released minor of the ABI: they deliver, or say
//! why not. `sdk/abi/golden` keeps a host of each; plugins in C are tried by `host::process::tests::golden`.

use std::{fs, path::Path, process::Command};

use crate::support::program;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/abi/golden");

/// A plugin and settings for it; in `{}` a folder of its own.
const PLUGINS: [(&str, &str); 2] =
    [("forward", r#"{"url":"http://127.0.0.1:1/"}"#), ("backup", r#"{"root":"{}"}"#)];

#[test]
fn the_bundled_plugins_run_on_a_gateway_of_every_released_minor() {
    for golden in fs::read_dir(GOLDEN).unwrap() {
        let golden = golden.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        let host = compile(&golden, folder.path());
        for (plugin, config) in PLUGINS {
            let config = config.replace("{}", folder.path().to_str().unwrap());
            let library = program().plugins().join(format!("libpostroom_plugin_{plugin}.so"));
            let output = Command::new(&host).arg(library).arg(config).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let name = golden.file_name().unwrap().display();
            assert!(output.status.success(), "{plugin} on {name}: {} {said}", output.status);
            assert!(
                said.contains("\noutcome ") && said.contains("completions: 1"),
                "{plugin} on {name}: {said}"
            );
        }
    }
}

/// Compiles the host of a released minor against the header of then, which lies beside it.
fn compile(golden: &Path, folder: &Path) -> std::path::PathBuf {
    let host = folder.join("host");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
        .args([&host, &golden.join("host.c")])
        .arg("-ldl")
        .output()
        .expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    host
}

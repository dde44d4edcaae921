//! Compiles the library that is loaded into the processes under test, with the system's C compiler.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-env-changed=CC");
    let folder = env::var_os("OUT_DIR").expect("cargo gives a folder");
    let library = Path::new(&folder).join("libfaulty_disk.so");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"])
        .args(["c/calls.c", "c/faults.c", "c/platter.c", "-o"])
        .arg(&library)
        .args(["-lpthread"])
        .status()
        .expect("the tests need a C compiler");
    assert!(compiled.success(), "the faulty disk does not compile");
    println!("cargo::rustc-env=FAULTY_DISK_LIBRARY={}", library.display());
}

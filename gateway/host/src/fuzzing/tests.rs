//! Goes through the inputs that `fuzz/corpus` keeps: what the fuzzers found to be different, and what once was a fault.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{frames_to_child, frames_to_gateway, library, manifest};
use crate::testing::{PLUGIN, compile};

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz");
const HELLO: &str = include_str!("../../../../sdk/c/examples/hello.c");

type Target = (&'static str, fn(&[u8]));

/// Every way in, by the name of its target.
const TARGETS: [Target; 4] = [
    ("frames_to_child", frames_to_child),
    ("frames_to_gateway", frames_to_gateway),
    ("library", library),
    ("manifest", manifest),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn no_input_that_was_ever_found_is_a_fault() {
    for (target, run) in TARGETS {
        let corpus = files(&Path::new(FUZZ).join("corpus").join(target));
        assert!(corpus.len() > 3, "there is little to try for {target}");
        for file in corpus {
            run(&fs::read(file).unwrap());
        }
    }
}

#[test]
fn every_target_is_fuzzed_and_every_fuzzer_has_a_corpus() {
    let names = |folder: &str| -> Vec<String> {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files(&Path::new(FUZZ).join(folder)).into_iter().map(stem).collect()
    };
    let targets = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

/// Whole libraries are too large to be kept: each byte of the parts that are read is changed here, one after the other.
#[test]
fn no_changed_byte_of_a_library_is_a_fault() {
    let hello = compile(HELLO, &["-shared", "-fPIC", "-s"]);
    for path in [&hello.path, &PLUGIN.path] {
        let whole = fs::read(path).unwrap();
        // Headers, dynamic symbols, and the tables at the end; what lies between is code.
        let ends = (0..whole.len().min(2048)).chain(whole.len().saturating_sub(2048)..whole.len());
        for at in ends {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= flip;
                library(&changed);
            }
        }
        for length in (0..whole.len()).step_by(97) {
            library(&whole[..length]);
        }
    }
}

//! docs/guarantees.md promises what is tested: each test that it names exists, and each test of the modules that are
//! about guarantees is named there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const GUARANTEES: &str = include_str!("../../docs/guarantees.md");

/// The first part of a test's name, and where its crate keeps its modules.
const CRATES: [(&str, &str); 10] = [
    ("abi", "sdk/abi/src"),
    ("backup", "plugins/backup/src"),
    ("collection", "plugins/backup/collection/src"),
    ("core", "gateway/core/src"),
    ("engine", "gateway/engine/src"),
    ("host", "gateway/host/src"),
    ("it", "tests/it"),
    ("sdk", "sdk/rust/src"),
    ("server", "gateway/server/src"),
    ("store", "gateway/store/src"),
];

/// Modules whose every test is a promise.
const ALL_OF: [&str; 4] = ["bugs", "chaos", "crash", "power_cut"];

/// Names like `it::crash::plugins_die_with_their_gateway` in a document.
pub(crate) fn named_in(document: &'static str) -> BTreeSet<&'static str> {
    let quoted = document.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains("::") && !text.contains(' ')).collect()
}

/// Sees to it that a test of this name exists.
#[track_caller]
pub(crate) fn check_exists(name: &str) {
    let (file, test) = place(name);
    assert!(tests_in(&file).contains(test), "{name} is no test of {}", file.display());
}

/// The file in which a test must be, and the test's own name.
fn place(name: &str) -> (PathBuf, &str) {
    let (path, test) = name.rsplit_once("::").unwrap();
    let (first, modules) = path.split_once("::").unwrap();
    let folder = CRATES.iter().find(|(prefix, _)| *prefix == first);
    let (_, folder) = folder.unwrap_or_else(|| panic!("{name}: there is no crate {first}"));
    (Path::new(ROOT).join(folder).join(modules.replace("::", "/") + ".rs"), test)
}

/// The tests of a file: functions below an attribute that makes them tests, and the promises of a contract, which a
/// macro makes tests of.
pub(crate) fn tests_in(file: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let is_contract = file.iter().any(|part| part == "contract");
    let mut tests = BTreeSet::new();
    let mut below_attribute = false;
    for line in text.lines().map(str::trim_start) {
        let function = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next());
        match function {
            Some(name) if below_attribute || (is_contract && line.starts_with("pub(crate) async fn ")) => {
                tests.insert(name.to_owned());
                below_attribute = false;
            }
            _ => below_attribute |= line.starts_with("#[test]") || line.starts_with("#[tokio::test"),
        }
    }
    tests
}

#[test]
fn every_test_that_is_named_exists() {
    let named = named_in(GUARANTEES);
    assert!(named.len() > 40, "only {} tests are named", named.len());
    named.into_iter().for_each(check_exists);
}

#[test]
fn every_test_of_a_guarantee_is_named() {
    let named = named_in(GUARANTEES);
    for module in ALL_OF {
        for test in tests_in(&Path::new(ROOT).join(format!("tests/it/{module}.rs"))) {
            let name = format!("it::{module}::{test}");
            assert!(named.contains(name.as_str()), "docs/guarantees.md does not name {name}");
        }
    }
}

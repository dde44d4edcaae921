//! docs/plugin-failures.md is whole: no failure is left out, and each is shown by tests that exist.

use std::{collections::BTreeSet, path::Path};

use crate::guarantees::{check_exists, named_in, tests_in};

const FAILURES: &str = include_str!("../../docs/plugin-failures.md");
const HOST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../gateway/host/src");

/// Modules whose every test is about a failure.
const ALL_OF: [&str; 2] = ["process::tests::failures", "process::tests::golden"];
/// About the golden files themselves.
const BESIDE: [&str; 1] = ["host::process::tests::golden::what_was_released_is_not_changed"];

#[test]
fn every_failure_is_there_and_shown() {
    let rows = FAILURES.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        Some((cells[0].parse::<usize>().ok()?, *cells.last()?))
    });
    let rows: Vec<_> = rows.collect();
    let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=39).collect::<Vec<_>>());
    for (number, tests) in rows {
        let named = named_in(tests);
        assert!(!named.is_empty(), "failure {number} is shown by nothing");
        named.into_iter().for_each(check_exists);
    }
}

#[test]
fn every_test_of_a_failure_is_named() {
    let named: BTreeSet<_> = named_in(FAILURES).into_iter().chain(BESIDE).collect();
    for module in ALL_OF {
        for test in tests_in(&Path::new(HOST).join(module.replace("::", "/") + ".rs")) {
            let name = format!("host::{module}::{test}");
            assert!(named.contains(name.as_str()), "docs/plugin-failures.md does not name {name}");
        }
    }
}

//! The rules of ARCHITECTURE.md that a machine can hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Every dependency between crates of this repository. What is not here is forbidden.
const EDGES: [(&str, &[&str]); 20] = [
    (
        "postroom",
        &[
            "postroom-core",
            "postroom-engine",
            "postroom-host",
            "postroom-itoc360-double",
            "postroom-openapi",
            "postroom-store",
        ],
    ),
    ("postroom-abi", &[]),
    ("postroom-bench-sink", &["postroom-sdk"]),
    ("postroom-client", &[]),
    ("postroom-collection", &[]),
    ("postroom-core", &[]),
    ("postroom-engine", &["postroom-core", "postroom-host", "postroom-store"]),
    ("postroom-faulty-abort", &["postroom-sdk"]),
    ("postroom-faulty-disk", &[]),
    ("postroom-host", &["postroom-abi", "postroom-core"]),
    // What stands for ITOC360 in the demo and in tests.
    ("postroom-itoc360-double", &[]),
    ("postroom-openapi", &[]),
    (
        "postroom-plugin-backup",
        &[
            "postroom-collection",
            // Its tests only.
            "postroom-postman-double",
            "postroom-sdk",
            "postroom-storage-servers",
        ],
    ),
    ("postroom-plugin-forward", &["postroom-sdk"]),
    ("postroom-plugin-itoc360", &["postroom-sdk"]),
    // What stands for Postman in tests, and what backups go to there.
    ("postroom-postman-double", &[]),
    ("postroom-sdk", &["postroom-abi", "postroom-sdk-macros"]),
    ("postroom-sdk-macros", &[]),
    ("postroom-storage-servers", &[]),
    // Its tests only.
    ("postroom-store", &["postroom-core", "postroom-faulty-disk"]),
];

/// These look at everything, and nothing may look at them.
const ONLOOKERS: [&str; 3] = ["postroom-bench", "postroom-tests", "xtask"];

/// Who may use a dependency that would otherwise spread.
const OWNERS: [(&str, &[&str]); 7] = [
    ("landlock", &["postroom-host"]),
    ("libloading", &["postroom-host"]),
    ("object", &["postroom-host"]),
    ("poem", &["postroom", "postroom-openapi"]),
    ("poem-openapi", &["postroom-openapi"]),
    ("rusqlite", &["postroom-store"]),
    ("seccompiler", &["postroom-host"]),
];

/// Where a file surely has a second subject.
const LINES_MAX: usize = 450;

static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut command = MetadataCommand::new();
    command.cargo_path(env!("CARGO")).manifest_path(manifest).no_deps().exec().unwrap()
});

fn folder(package: &Package) -> &Path {
    package.manifest_path.parent().unwrap().as_std_path()
}

/// Dependencies of any kind: a test that reaches across an edge is as wrong as code that does.
fn dependencies(package: &Package) -> BTreeSet<&str> {
    package.dependencies.iter().map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let ours: BTreeSet<&str> = METADATA.packages.iter().map(|package| package.name.as_str()).collect();
    let drawn: BTreeSet<&str> = EDGES.map(|(name, _)| name).into_iter().chain(ONLOOKERS).collect();
    assert_eq!(ours, drawn, "every crate has a place in the drawing");
    for (name, edges) in EDGES {
        let package = METADATA.packages.iter().find(|package| package.name == name).unwrap();
        let mut actual = &dependencies(package) & &ours;
        // A crate may turn on features of itself for its own tests.
        actual.remove(name);
        assert_eq!(actual, edges.iter().copied().collect(), "of {name}");
    }
}

/// Those of our crates that use this one, be it one of ours or not.
fn users(dependency: &str) -> BTreeSet<&'static str> {
    let others = METADATA.packages.iter().filter(|package| package.name != dependency);
    let users = others.filter(|package| dependencies(package).contains(dependency));
    users.map(|package| package.name.as_str()).collect()
}

#[test]
fn dependencies_with_an_owner_do_not_spread() {
    for (dependency, owners) in OWNERS {
        assert_eq!(users(dependency), owners.iter().copied().collect(), "of {dependency}");
    }
}

/// `cargo deny` also sees what comes with the crates of others.
#[test]
fn deny_toml_knows_every_owner_and_every_edge() {
    let deny: toml::Table = include_str!("../../deny.toml").parse().unwrap();
    let mut listed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in deny["bans"]["deny"].as_array().unwrap() {
        let users = entry["wrappers"].as_array().unwrap().iter().map(|user| user.as_str().unwrap());
        listed.insert(entry["crate"].as_str().unwrap(), users.collect());
    }
    let ours: BTreeSet<&str> = METADATA.packages.iter().map(|package| package.name.as_str()).collect();
    for dependency in OWNERS.map(|(dependency, _)| dependency).into_iter().chain(ours.iter().copied()) {
        let mut listed = listed.remove(dependency).unwrap_or_default();
        // As above.
        listed.remove(dependency);
        assert_eq!(&listed & &ours, users(dependency), "of {dependency}");
    }
    assert!(listed.is_empty(), "nobody has these: {listed:?}");
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    for package in &METADATA.packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("\n[lints]\nworkspace = true\n"), "{} has lints of its own", package.name);
    }
}

#[test]
fn plugins_have_no_unsafe_code() {
    let plugins = METADATA.packages.iter().filter(|package| {
        let folder = folder(package).parent().unwrap();
        folder.ends_with("plugins") || folder.ends_with("tests/faulty")
    });
    let mut count = 0;
    for plugin in plugins {
        let source = fs::read_to_string(folder(plugin).join("src/lib.rs")).unwrap();
        assert!(
            source.lines().any(|line| line == "#![forbid(unsafe_code)]"),
            "{} may be unsafe",
            plugin.name
        );
        count += 1;
    }
    assert!(count >= 4, "only {count} plugins were looked at");
}

#[test]
fn files_are_about_one_thing_and_named_after_it() {
    let mut count = 0;
    for package in &METADATA.packages {
        for file in sources(folder(package)) {
            let inside = file.strip_prefix(folder(package)).unwrap();
            assert!(!inside.ends_with("mod.rs"), "{}: name the file after its module", file.display());
            let is_test = inside.iter().any(|part| part == "tests" || part == "tests.rs");
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(is_test || lines <= LINES_MAX, "{} has {lines} lines", file.display());
            count += 1;
        }
    }
    assert!(count >= 100, "only {count} files were looked at");
}

/// The Rust files of a crate. A folder with a manifest of its own is another crate.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("Cargo.toml").exists() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

//! What Postroom promises, shown with the real program: one module for each thing it is used for.

#![expect(clippy::unwrap_used, reason = "all of this is tests, where a wrong guess should fail")]

mod abuse;
mod access;
mod actions;
mod api;
mod architecture;
mod audit;
mod backup;
mod backup_commands;
mod backup_git;
mod backup_killed;
mod backup_restore;
mod backup_storages;
mod bugs;
mod c_examples;
mod chaos;
mod clients;
mod commands;
mod contract;
mod corpus;
mod crash;
mod delivery;
mod docs;
mod enrich;
mod failures;
mod full_disk;
mod guarantees;
mod idempotency;
mod intake;
mod itoc360;
mod large_body;
mod monitors;
mod old_host;
mod plugin_author;
mod plugin_faults;
mod plugin_services;
mod plugin_state;
mod power_cut;
mod reload;
mod replay;
mod resources;
mod retention;
mod sandbox;
mod secrets;
mod shutdown;
mod steering;
mod stream;
mod support;
mod zig;

/// A file that is not listed above would be no test at all, and nobody would notice.
#[test]
fn every_file_of_this_folder_is_listed() {
    let here = include_str!("main.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let listed = here.lines().any(|line| line == format!("mod {module};"));
        assert!(listed || module == "main", "{} is not listed in main.rs", path.display());
    }
}

use std::{collections::BTreeSet, fs};

use super::{Args, run};
use crate::{
    command,
    output::{Colour, Output},
};

/// The pages that a command and those below it need.
fn pages(prefix: &str, command: &clap::Command) -> BTreeSet<String> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    let below = below.flat_map(|below| pages(&format!("{prefix}-{}", below.get_name()), below));
    below.chain([format!("{prefix}.1")]).collect()
}

#[test]
fn every_command_has_a_page_that_names_its_flags() {
    let folder = tempfile::tempdir().unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    run(&Args { out: Some(folder.path().join("man1")) }, &mut output).unwrap();
    let written = fs::read_dir(folder.path().join("man1")).unwrap();
    let written: BTreeSet<_> =
        written.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(written, pages("postroom", &command::cli()));
    let tail = fs::read_to_string(folder.path().join("man1/postroom-events-tail.1")).unwrap();
    assert!(tail.contains("\\-\\-topic") && tail.contains("postroom events tail"), "{tail}");
}

#[test]
fn without_a_folder_the_first_page_is_printed() {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    run(&Args { out: None }, &mut Output::new(&mut data, &mut talk, Colour::default())).unwrap();
    let page = String::from_utf8(data).unwrap();
    assert!(page.contains(".TH postroom 1") && page.contains("completions"), "{page}");
}

use clap::ValueEnum as _;
use clap_complete::Shell;

use super::{Args, run};
use crate::{
    command,
    output::{Colour, Output},
};

/// The names of all commands, and of all below them.
fn names(command: &clap::Command) -> Vec<String> {
    let below = command.get_subcommands();
    below.flat_map(|below| std::iter::once(below.get_name().to_owned()).chain(names(below))).collect()
}

#[test]
fn every_shell_completes_every_command() {
    let names = names(&command::cli());
    assert!(names.len() > 30, "{names:?}");
    for shell in Shell::value_variants() {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        run(&Args { shell: *shell }, &mut Output::new(&mut data, &mut talk, Colour::default())).unwrap();
        let script = String::from_utf8(data).unwrap();
        for name in &names {
            assert!(script.contains(name), "{shell} does not complete {name}");
        }
    }
}

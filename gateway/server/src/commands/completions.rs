//! `postroom completions`: what a shell needs to complete the arguments of this command.

use clap_complete::{Shell, generate};

use crate::{
    command::{self, Failure},
    output::Output,
};

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom completions bash > /etc/bash_completion.d/postroom
  postroom completions zsh > ~/.zfunc/_postroom
  postroom completions fish > ~/.config/fish/completions/postroom.fish")]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut cli = command::cli();
    let name = cli.get_name().to_owned();
    generate(args.shell, &mut cli, name, &mut script);
    Ok(output.bytes(&script)?)
}

#[cfg(test)]
mod tests;

//! `postroom man`: the manual pages.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    command::{self, Exit, Failure},
    output::Output,
};

/// Flags of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom man | man -l -
  postroom man --out /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// Write a page for each command into this folder; without it the page of `postroom` itself is printed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let cli = command::cli();
    match &args.out {
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(cli).render(&mut page);
            rendered
                .map_err(|error| Failure::new(Exit::Failed, format!("cannot write the page: {error}")))?;
            Ok(output.bytes(&page)?)
        }
        Some(folder) => {
            let pages = write(cli, folder)?;
            Ok(output.say(format_args!("{pages} pages are in {}", folder.display()))?)
        }
    }
}

/// Writes a page for each command, and gives how many.
fn write(cli: clap::Command, folder: &Path) -> Result<usize, Failure> {
    let unwritable = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("cannot write into {}: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut pages = 0;
    let mut left = vec![cli];
    // Fills in what a command takes over from the ones above it, such as its whole name.
    left[0].build();
    while let Some(command) = left.pop() {
        let shown = |command: &&clap::Command| !command.is_hide_set() && command.get_name() != "help";
        left.extend(command.get_subcommands().filter(shown).cloned());
        clap_mangen::Man::new(command).generate_to(folder).map_err(unwritable)?;
        pages += 1;
    }
    Ok(pages)
}

#[cfg(test)]
mod tests;

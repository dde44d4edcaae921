//! `postroom plugin new`: a project that builds, passes its tests and keeps the contract as it is.

mod project;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use self::project::{File, Names};
use crate::{
    command::{Exit, Failure},
    output::Output,
};

/// The SDK of the sources that this program was built from. They need not be there any more.
const BUILT_WITH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/rust");

/// Flags of `plugin new`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom plugin new pager                         in Rust, into the folder pager
  postroom plugin new pager --sdk ../postroom/sdk/rust
  postroom plugin new pager --lang c --dir ~/src/pager")]
pub(crate) struct Args {
    /// What configurations will call it: lower-case words joined by '-' or '.', like pager
    #[arg(value_name = "NAME", value_parser = Names::parse)]
    name: Names,
    /// The language
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// The folder to make [default: NAME]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// The Rust SDK: the folder sdk/rust of Postroom's sources
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    C,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let names = &args.name;
    let (files, next) = match args.lang {
        Language::Rust => (project::in_rust(names, &sdk(args.sdk.as_deref())?), "cargo test"),
        Language::C => (project::in_c(names), "make check"),
    };
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&names.id));
    write(&folder, &files)?;
    let shown = folder.display();
    output.say(format_args!("wrote a plugin called \"{}\" into", names.id))?;
    output.line(folder.display())?;
    output.say(format_args!(
        "\nNext:\n  cd {shown} && {next}\n  README.md there says how to try it and use it"
    ))?;
    Ok(())
}

/// Where the SDK is, as an absolute path.
fn sdk(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = named.unwrap_or(Path::new(BUILT_WITH));
    let found = folder.canonicalize().ok().filter(|folder| folder.join("Cargo.toml").is_file());
    found.ok_or_else(|| {
        let message = match named {
            Some(folder) => format!("{} is not the folder of the Rust SDK", folder.display()),
            None => "the Rust SDK is not where this program was built".to_owned(),
        };
        Failure::new(Exit::NotFound, message)
            .hint("give --sdk the folder sdk/rust of Postroom's sources, or write the plugin with --lang c")
    })
}

/// Writes the files into a folder that is new or empty.
fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| {
        Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut entries = fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    if entries.next().is_some() {
        let message = format!("{} is there and not empty", folder.display());
        return Err(Failure::new(Exit::Failed, message).hint("choose another folder with --dir"));
    }
    for file in files {
        let path = folder.join(file.path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let mut place = fs::File::create_new(&path)?;
            place.write_all(&file.content)
        });
        written.map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

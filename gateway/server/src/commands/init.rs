//! `postroom init`: a first configuration with fresh tokens.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{
    command::{Exit, Failure, parse_public_url},
    output::Output,
};

const TEMPLATE: &str = include_str!("init/postroom.toml");
const SOURCE_TOKEN: &str = "{source-token}";
const API_KEY: &str = "{api-key}";
const PUBLIC_URL_EXAMPLE: &str = "#public_url = \"https://hooks.example.com\"";
/// The file holds tokens: only its owner may read it.
const MODE: u32 = 0o600;

/// Flags of `init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom init                                    writes postroom.toml here
  postroom init --path /etc/postroom/postroom.toml --public-url https://hooks.example.com
  postroom init && postroom check && postroom serve")]
pub(crate) struct Args {
    /// Where to write
    #[arg(long, value_name = "FILE", default_value = "postroom.toml")]
    path: PathBuf,
    /// How Postman will reach the gateway, like https://hooks.example.com
    #[arg(long, value_name = "URL", value_parser = parse_public_url)]
    public_url: Option<String>,
    /// Replace a file that is there; its tokens are lost
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let (source_token, api_key) = (fresh_token()?, fresh_token()?);
    let mut text = TEMPLATE.replace(SOURCE_TOKEN, &source_token).replace(API_KEY, &api_key);
    if let Some(url) = &args.public_url {
        text = text.replace(PUBLIC_URL_EXAMPLE, &format!("public_url = \"{url}\""));
    }
    write(&args.path, &text, args.force)?;

    let path = args.path.display();
    output.say(format_args!("wrote {path} (only you can read it: it holds the tokens)\n"))?;
    output.say("Paste this URL into Postman's webhook forms:")?;
    let base = args.public_url.as_deref().unwrap_or("http://127.0.0.1:8080");
    output.line(format_args!("{base}/hooks/postman?token={source_token}"))?;
    if args.public_url.is_none() {
        output.say(
            "Postman must be able to reach it: put the address by which it does in place of http://127.0.0.1:8080",
        )?;
    }
    output.say(format_args!(
        "\nNext:\n  postroom check --config {path}    tells what is wrong, should you change it\n  \
         postroom serve --config {path}    starts the gateway"
    ))?;
    Ok(())
}

/// Writes the file; replaces one that is there only when `replace` says so, and then in one step.
fn write(path: &Path, text: &str, replace: bool) -> Result<(), Failure> {
    let place = if replace { path.with_added_extension("new") } else { path.to_owned() };
    create(&place, text).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            Failure::new(Exit::Failed, format!("{} is already there", place.display())).hint(
                "choose another place with --path, or replace it with --force: its tokens are lost then",
            )
        } else {
            failed(&place, &error)
        }
    })?;
    if replace { fs::rename(&place, path).map_err(|error| failed(path, &error)) } else { Ok(()) }
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display()))
}

/// 256 random bits in hex: nothing in it needs escaping in a URL.
pub(super) fn fresh_token() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(Exit::Failed, format!("the system gives no random bytes: {error}")))?;
    let mut token = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(token, "{byte:02x}").expect("writing to a String cannot fail");
    }
    Ok(token)
}

#[cfg(test)]
mod tests;

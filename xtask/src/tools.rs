//! What tasks need and cargo does not bring: programs of other languages, and packages that are installed for them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, anyhow};

/// Why a task cannot go on.
pub(crate) enum Trouble {
    /// What it takes is missing here, and there is no way to it.
    Missing(String),
    /// Everything is there, and something is wrong.
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Fault(error)
    }
}

/// Makes an environment of Python in `folder` with the packages that `requirements` lists by their hashes; gives its folder
/// of programs. `needs` is an expression of Python's that holds for a version that will do.
pub(crate) fn python(folder: &Path, requirements: &Path, needs: &str) -> Result<PathBuf, Trouble> {
    let programs = folder.join("bin");
    let python = programs.join("python");
    // One that was broken off while it was made has no pip.
    if !Said::by(Command::new(&python).args(["-m", "pip", "--version"])).is_ok_and(|said| said.is_success) {
        let check = format!("import ensurepip, sys, venv; assert {needs}, 'it is too old'");
        need("python3", &["-c", &check])?;
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))
            .with_context(|| format!("no environment in {}", folder.display()))?;
    }
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--requirement",
    ];
    let said = Said::by(Command::new(&python).args(pip).arg(requirements)).context("cannot run pip")?;
    if !said.is_success {
        return Err(said.trouble(pip_is_cut_off(&said.text), "the index of Python's packages"));
    }
    Ok(programs)
}

/// Installs the packages of the lock file in `lock` into `folder`, in the versions and with the hashes that it has, and runs
/// none of their scripts. `needs` is an expression of JavaScript's that holds for a version of Node.js that will do.
pub(crate) fn npm(folder: &Path, lock: &Path, needs: &str) -> Result<(), Trouble> {
    need("node", &["--eval", &format!("if (!({needs})) throw 'it is too old'")])?;
    need("npm", &["--version"])?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(lock.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
    let said = Said::by(Command::new("npm").args(npm).current_dir(folder)).context("cannot run npm")?;
    if !said.is_success {
        return Err(said.trouble(npm_is_cut_off(&said.text), "the registry of npm"));
    }
    Ok(())
}

/// Whether a program is here, and does what it is asked.
pub(crate) fn need(program: &str, arguments: &[&str]) -> Result<(), Trouble> {
    match Said::by(Command::new(program).args(arguments)) {
        Ok(said) if said.is_success => Ok(()),
        Ok(said) => Err(Trouble::Missing(format!("{program} will not do: {}", said.last()))),
        Err(error) => Err(Trouble::Missing(format!("{program} cannot be run: {error}"))),
    }
}

/// Runs a program to its end, and shows what it said only if it failed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let said = Said::by(command).with_context(|| format!("cannot run {name}"))?;
    if said.is_success { Ok(()) } else { Err(anyhow!("{name} failed: {}", said.text)) }
}

/// Whether pip, which said this, could not reach what it installs from.
fn pip_is_cut_off(said: &str) -> bool {
    let signs = ["after connection broken by", "Max retries exceeded"];
    let is_other = said.contains("DO NOT MATCH THE HASHES");
    !is_other && signs.iter().any(|sign| said.contains(sign))
}

/// The same of npm.
fn npm_is_cut_off(said: &str) -> bool {
    let signs =
        ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"];
    !said.contains("EINTEGRITY") && signs.iter().any(|sign| said.contains(sign))
}

/// What a program said about how it went.
struct Said {
    is_success: bool,
    text: String,
}

impl Said {
    fn by(command: &mut Command) -> io::Result<Self> {
        let output = command.output()?;
        let said = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&said).trim().to_owned();
        Ok(Self { is_success: output.status.success(), text })
    }

    fn trouble(&self, is_cut_off: bool, from: &str) -> Trouble {
        if is_cut_off {
            return Trouble::Missing(format!("no way to {from}: {}", self.last()));
        }
        Trouble::Fault(anyhow!("what is installed is not what it was: {}", self.text))
    }

    fn last(&self) -> &str {
        self.text.lines().last().unwrap_or("it does not say why")
    }
}

#[cfg(test)]
mod tests;

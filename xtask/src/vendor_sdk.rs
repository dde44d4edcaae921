//! `cargo xtask vendor-sdk`: ITOC360's own SDK for Python and our plugin send to the same double, and what arrives is
//! compared. The SDK is installed below the target folder, in the version whose hash is kept. Where there is no Python, or no
//! way to the index, nothing is compared, and it says so.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::{cargo, cargo_command, exit_code, root, say, target_folder};

const TEST: &str = "itoc360::the_plugin_sends_what_the_vendors_own_sdk_sends";

/// Runs the comparison; `arguments` go to cargo, such as `--release`.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let python = match install(&target_folder()?.join("vendor-sdk"))? {
        Installed::Python(python) => python,
        Installed::Not(why) => {
            say(&format!("skipped: the vendor's SDK cannot be installed here: {why}"));
            return Ok(ExitCode::SUCCESS);
        }
    };
    let python = python.to_str().context("the target folder's path is not Unicode")?;
    let test = |target, last: &[&'static str]| {
        [&["test", "--package", "postroom-tests", "--test", target], arguments, &["--"], last].concat()
    };
    let compared = cargo(&[&test("vendor", &[])[..], &[python]].concat(), &[])?;
    if compared != ExitCode::SUCCESS {
        return Ok(compared);
    }
    let output = cargo_command(&test("it", &["--exact", TEST])).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    say(said.trim());
    let ran = !output.status.success() || said.contains("test result: ok. 1 passed");
    anyhow::ensure!(ran, "there is no test {TEST}");
    Ok(exit_code(output.status))
}

enum Installed {
    /// Python's program in an environment with the SDK.
    Python(PathBuf),
    /// What it takes is missing here.
    Not(String),
}

/// Makes an environment of Python with the SDK in it.
fn install(folder: &Path) -> anyhow::Result<Installed> {
    let python = folder.join("bin").join("python");
    // One that was broken off while it was made has no pip.
    if !Said::by(Command::new(&python).args(["-m", "pip", "--version"])).is_ok_and(|said| said.is_success) {
        match Said::by(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
            Ok(said) if said.is_success => {}
            Ok(said) => return Ok(Installed::Not(format!("python3 makes no environments: {}", said.last()))),
            Err(error) => return Ok(Installed::Not(format!("python3 cannot be run: {error}"))),
        }
        let made = Said::by(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        anyhow::ensure!(made.is_success, "no environment in {}: {}", folder.display(), made.text);
    }
    let requirements = root().join("tests/doubles/itoc360/requirements.txt");
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--requirement",
    ];
    let installed = Said::by(Command::new(&python).args(pip).arg(requirements))?;
    if installed.is_success {
        return Ok(Installed::Python(python));
    }
    anyhow::ensure!(
        is_unreachable(&installed.text),
        "the vendor's SDK is not what it was: {}",
        installed.text
    );
    Ok(Installed::Not(format!("no way to the index of Python's packages: {}", installed.last())))
}

/// Whether pip, which said this, could not reach what it installs from.
fn is_unreachable(said: &str) -> bool {
    let signs = ["after connection broken by", "Max retries exceeded"];
    let is_other = said.contains("DO NOT MATCH THE HASHES");
    !is_other && signs.iter().any(|sign| said.contains(sign))
}

/// What a program said about how it went.
struct Said {
    is_success: bool,
    text: String,
}

impl Said {
    fn by(command: &mut Command) -> io::Result<Self> {
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(Self { is_success: output.status.success(), text })
    }

    fn last(&self) -> &str {
        self.text.lines().last().unwrap_or("it does not say why")
    }
}

#[cfg(test)]
mod tests;

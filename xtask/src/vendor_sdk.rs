//! `cargo xtask vendor-sdk`: ITOC360's own SDK for Python and our plugin send to the same double, and what arrives is
//! compared. The SDK is installed below the target folder, in the version whose hash is kept. Where there is no Python, or no
//! way to the index, nothing is compared, and it says so.

use std::process::{ExitCode, Stdio};

use anyhow::Context as _;

use crate::{
    cargo, cargo_command, exit_code, root, say, target_folder,
    tools::{self, Trouble},
};

const TEST: &str = "itoc360::the_plugin_sends_what_the_vendors_own_sdk_sends";

/// Runs the comparison; `arguments` go to cargo, such as `--release`.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let requirements = root().join("tests/doubles/itoc360/requirements.txt");
    let python = match tools::python(&target_folder()?.join("vendor-sdk"), &requirements, "True") {
        Ok(programs) => programs.join("python"),
        Err(Trouble::Missing(why)) => {
            say(&format!("skipped: the vendor's SDK cannot be installed here: {why}"));
            return Ok(ExitCode::SUCCESS);
        }
        Err(Trouble::Fault(error)) => return Err(error.context("the vendor's SDK cannot be installed")),
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

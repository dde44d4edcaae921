//! The `postroom` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    postroom::command::main()
}

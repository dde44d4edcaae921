//! The `postroom` command itself, built where the tests find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    postroom::command::main()
}

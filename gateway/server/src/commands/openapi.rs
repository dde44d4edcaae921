//! `postroom openapi`: the contract of the HTTP API.

use crate::{command::Failure, output::Output};

pub(crate) fn run(output: &mut Output<'_>) -> Result<(), Failure> {
    Ok(output.json(&postroom_openapi::document())?)
}

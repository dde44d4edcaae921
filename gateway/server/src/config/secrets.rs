//! Secrets: by reference, `{ env = "NAME" }` or `{ file = "path" }`, or as they stand in the file.

use std::{
    fs::OpenOptions,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
};

use postroom_core::secret::Secret;
use rustix::fs::OFlags;

use super::read::{Context, Value};

/// Shorter tokens can be guessed: the gateway says so when it starts, and works all the same.
const TOKEN_CHARS_MIN: usize = 16;
/// Far above any token or certificate; keeps a wrong path from filling the memory.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A token that strangers may try to guess.
pub(super) fn token(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Secret> {
    let secret = match value.value.as_str() {
        Some(literal) => Secret::new(literal),
        None => match reference(cx, value)? {
            Some(secret) => secret,
            None => {
                let hint = "write { env = \"NAME\" }, { file = \"path\" }, or the secret in quotes";
                value.refuse(cx, "a secret", hint);
                return None;
            }
        },
    };
    if secret.expose().is_empty() {
        cx.faults.at(&value.spot, "the token is empty").hint("make a good one with: openssl rand -hex 32");
        return None;
    }
    Some(secret)
}

/// Whether `token` is too short to withstand guessing.
pub(crate) fn is_short(token: &Secret) -> bool {
    token.expose().chars().count() < TOKEN_CHARS_MIN
}

/// The secret that `value` refers to: `Some(None)` when it is no reference, `None` after a fault.
///
/// A reference is a table with the one key `env` or `file`.
pub(super) fn reference(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Option<Secret>> {
    let Some(table) = value.value.as_table() else { return Some(None) };
    let mut keys = table.keys().map(|key| -> &str { key.get_ref() });
    let (Some(key @ ("env" | "file")), None) = (keys.next(), keys.next()) else { return Some(None) };
    let place = value.table(cx)?.entries().next()?.1.text(cx)?;
    let found = if key == "env" { from_env(cx, place) } else { from_file(cx, place) };
    match found {
        Ok(text) if text.is_empty() => {
            let message = format!("the secret in this {key} is empty");
            cx.faults.at(&value.spot, message).hint("give it a value, or leave the setting out");
            None
        }
        Ok(text) => Some(Some(Secret::new(text))),
        Err((message, hint)) => {
            cx.faults.at(&value.spot, message).hint(hint);
            None
        }
    }
}

/// Whether this looks like the name of an environment variable.
pub(super) fn is_usual(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn from_env(cx: &Context<'_>, name: &str) -> Result<String, (String, String)> {
    // The secret itself may stand where its variable's name should.
    let usual = is_usual(name);
    let shown = if usual { name } else { "that is named here" };
    let hint = format!(
        "set {} where the gateway starts, or write {{ file = \"path\" }}",
        if usual { name } else { "it" }
    );
    let value = (cx.surroundings.env)(name)
        .ok_or_else(|| (format!("the environment variable {shown} is not set"), hint.clone()))?;
    value.into_string().map_err(|_| (format!("the environment variable {shown} is not valid UTF-8"), hint))
}

fn from_file(cx: &Context<'_>, path: &str) -> Result<String, (String, String)> {
    let path = cx.folder.join(path);
    let hint =
        "relative paths start from the folder of this file; the gateway's user must be able to read it";
    let fault =
        |cause: &str| (format!("cannot read the secret file {}: {cause}", path.display()), hint.to_owned());
    let read = || -> io::Result<Option<Vec<u8>>> {
        // Without it a named pipe would hold up the caller until someone writes to it.
        let at_once = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(at_once).open(&path)?;
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    let bytes =
        read().map_err(|error| fault(&error.to_string()))?.ok_or_else(|| fault("not a regular file"))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(fault(&format!("larger than {SECRET_BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| fault("not valid UTF-8"))?;
    // Editors and `echo` end a file with a line break that is no part of the secret.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

//! Keeps the secrets of an instance out of what its plugin says.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use postroom_core::secret::Secret;

/// What stands in the place of a secret.
const MASKED: &str = "***";
/// Shorter values are left alone: they turn up in texts by chance, and hardly are secrets.
const SECRET_BYTES_MIN: usize = 8;
/// Sets of secrets that are still masked when nobody has them any more.
const RETIRED_MAX: usize = 8;
/// The longest way to write one character in JSON: two `\uXXXX`.
const ESCAPE_BYTES_MAX: usize = 12;

/// Replaces the secrets of one instance by `***` in the texts of its plugin.
///
/// The contract forbids a plugin to tell its secrets, but they slip into texts: an address with a token in it stands
/// in the error of the client that could not reach it. A plugin that means to tell them finds ways around this.
///
/// All processes of an instance share one. A plugin may have kept a secret that was replaced long ago, in its state or a
/// file, and the process that tells it may be another than the one that was given it.
#[derive(Default)]
pub(crate) struct Mask {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Sets of secrets, the one that was given last at the end.
    sets: Vec<Arc<Vec<Secret>>>,
    /// All that is in them.
    secrets: Arc<Vec<Secret>>,
}

/// Secrets that somebody has. They are masked at least as long as this lives.
#[derive(Debug)]
pub(crate) struct Given {
    _set: Arc<Vec<Secret>>,
}

impl Mask {
    /// A mask for these secrets.
    #[cfg(test)]
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mask = Self::default();
        mask.give(secrets);
        mask
    }

    /// Masks these too, from now on, and for a good while after the last who has them: until some other sets were given and
    /// are not had any more either. A secret of several lines, such as a key file, is masked line by line as well, because
    /// what a plugin prints is read in lines.
    pub(crate) fn give<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) -> Given {
        let mut values: Vec<Secret> = Vec::new();
        for secret in secrets {
            for value in secret.expose().lines().chain([secret.expose()]).map(str::trim) {
                if value.len() >= SECRET_BYTES_MIN && values.iter().all(|known| known.expose() != value) {
                    values.push(Secret::new(value));
                }
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let same = known.sets.iter().position(|set| **set == values);
        let set = same.map_or_else(|| Arc::new(values), |at| known.sets.remove(at));
        known.sets.push(Arc::clone(&set));
        let mut retired = known.sets.iter().filter(|set| Arc::strong_count(set) == 1).count();
        known.sets.retain(|set| {
            let is_over = retired > RETIRED_MAX && Arc::strong_count(set) == 1;
            retired -= usize::from(is_over);
            !is_over
        });
        let mut secrets: Vec<Secret> = Vec::new();
        for secret in known.sets.iter().flat_map(|set| set.iter()) {
            if !secrets.contains(secret) {
                secrets.push(secret.clone());
            }
        }
        known.secrets = Arc::new(secrets);
        Given { _set: set }
    }

    fn secrets(&self) -> Arc<Vec<Secret>> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).secrets)
    }

    /// The text without secrets, whether they stand in it as they are or escaped as in JSON. JSON stays JSON where the
    /// secret is (part of) a string.
    ///
    /// A text of `bytes_max` bytes or more may have been cut, so the beginning of a secret at its end counts too.
    pub(crate) fn text<'a>(&self, text: &'a str, bytes_max: usize) -> Cow<'a, str> {
        let secrets = self.secrets();
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let cut = text.len() >= bytes_max;
        let mut masked = String::new();
        // Everything before this is in `masked`. Secrets that overlap become one.
        let mut done = 0;
        for (start, _) in text.char_indices() {
            let rest = &text[start..];
            let Some(bytes) = secrets.iter().filter_map(|secret| secret_at(secret, rest, cut)).max() else {
                continue;
            };
            if start >= done {
                masked.push_str(&text[done..start]);
                masked.push_str(MASKED);
            }
            done = done.max(start + bytes);
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }

    /// The text without secrets, on one line of at most `bytes_max` bytes: a line break or escape code of a plugin must
    /// not forge a second line in a log or on a terminal.
    ///
    /// What the plugin said must not be cut below `bytes_max` before.
    pub(crate) fn one_line(&self, text: &str, bytes_max: usize) -> String {
        let text = self.text(text, bytes_max);
        let text = &text[..text.floor_char_boundary(bytes_max)];
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").field("secrets", &self.secrets()).finish()
    }
}

/// How many bytes of `text` are the secret, when it begins with it.
fn secret_at(secret: &Secret, text: &str, cut: bool) -> Option<usize> {
    let secret = secret.expose();
    matching(secret, text, cut, plain_char).max(matching(secret, text, cut, json_char))
}

fn matching(
    secret: &str,
    text: &str,
    cut: bool,
    next_char: impl Fn(&str) -> Option<(char, usize)>,
) -> Option<usize> {
    let mut end = 0;
    for (matched, expected) in secret.char_indices() {
        let rest = &text[end..];
        match next_char(rest) {
            Some((c, bytes)) if c == expected => end += bytes,
            // The cut may have gone through a character.
            _ if cut && matched >= SECRET_BYTES_MIN && rest.len() < ESCAPE_BYTES_MAX => {
                return Some(text.len());
            }
            _ => return None,
        }
    }
    Some(end)
}

/// The first character of `text`, and its length in bytes.
fn plain_char(text: &str) -> Option<(char, usize)> {
    text.chars().next().map(|c| (c, c.len_utf8()))
}

/// The first character of `text` read as the inside of a JSON string, and the length of the way it is written.
fn json_char(text: &str) -> Option<(char, usize)> {
    let Some(escape) = text.strip_prefix('\\') else { return plain_char(text) };
    let c = match escape.bytes().next()? {
        b'u' => return unicode_escape(text),
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        c @ (b'"' | b'\\' | b'/') => char::from(c),
        _ => return None,
    };
    Some((c, 2))
}

fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    // Characters that need two units are written as two escapes.
    let units = [unit(text)?, text.get(6..).and_then(unit).unwrap_or_default()];
    let c = char::decode_utf16(units).next()?.ok()?;
    Some((c, 6 * c.len_utf16()))
}

#[cfg(test)]
mod tests;

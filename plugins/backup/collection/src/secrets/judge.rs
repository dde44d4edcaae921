//! Whether a string is a secret, by what it is, what it is called and where it stands.

use std::ops::Range;

use super::{Confidence, REDACTED, Role, tokens::tokens};
use crate::place::Place;

/// What else an object says about one of its strings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Siblings<'a> {
    /// What the object is called: of a variable, a header, a parameter.
    pub(crate) name: Option<&'a str>,
    /// Its `type`.
    pub(crate) kind: Option<&'a str>,
}

/// A rule, where in the text it holds, and how sure it is.
pub(crate) type Judgement = (&'static str, Range<usize>, Confidence);

/// Names of parameters of authorization that are secret by themselves.
const PARAMETERS: &[&str] = &[
    "accesstoken",
    "authkey",
    "clientsecret",
    "clienttoken",
    "consumersecret",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessiontoken",
    "token",
    "tokensecret",
    // Of an API key; its other half is the name of the header.
    "value",
];

/// Parts of the names that people give to secrets.
const NAMES: &[&str] = &[
    "accesskey",
    "apikey",
    "authkey",
    "bearer",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "token",
];

/// What a name with one of them may end in and be harmless.
const ABOUT: &[&str] = &[
    "count",
    "endpoint",
    "expires",
    "expiresin",
    "expiry",
    "header",
    "id",
    "length",
    "name",
    "path",
    "prefix",
    "ttl",
    "type",
    "uri",
    "url",
];

/// Headers that carry a secret.
const HEADERS: &[&str] = &["apikey", "authorization", "proxyauthorization", "xapikey", "xauthtoken"];

/// Judges the inside of a string that is the member `key` of an object here.
pub(crate) fn judge(
    inside: &str,
    place: Place,
    role: Role,
    key: &str,
    siblings: Siblings<'_>,
) -> Vec<Judgement> {
    let whole = match (role, key) {
        (Role::Parameters, name) => parameter(inside, name),
        (Role::Parameter, "value") => parameter(inside, siblings.name.unwrap_or_default()),
        (Role::Header, "value") => header(inside, siblings.name.unwrap_or_default()),
        (Role::Headers, _) => return headers(inside),
        _ if place == Place::Variable && key == "value" => variable(inside, siblings),
        _ => None,
    };
    let tokens = tokens(inside.as_bytes());
    let Some((rule, span, confidence)) = whole else {
        return tokens.into_iter().map(|(rule, span)| (rule, span, Confidence::High)).collect();
    };
    // What is around a token there is secret with it, but the token says what it is.
    let token = tokens.into_iter().find(|(_, token)| token.start < span.end && span.start < token.end);
    match token {
        Some((rule, token)) => {
            vec![(rule, span.start.min(token.start)..span.end.max(token.end), Confidence::High)]
        }
        None => vec![(rule, span, confidence)],
    }
}

fn parameter(value: &str, name: &str) -> Option<Judgement> {
    if !is_literal(value) {
        return None;
    }
    let name = plain(name);
    if PARAMETERS.contains(&&*name) {
        return Some(("auth-secret", 0..value.len(), confidence(value)));
    }
    let is_public = ["clientid", "consumerkey", "nonce", "state", "username", "scope", "timestamp", "key"]
        .contains(&&*name);
    (!is_public && is_random(value)).then_some(("high-entropy", 0..value.len(), Confidence::Medium))
}

fn variable(value: &str, siblings: Siblings<'_>) -> Option<Judgement> {
    if !is_literal(value) {
        return None;
    }
    let name = plain(siblings.name.unwrap_or_default());
    let is_named =
        NAMES.iter().any(|part| name.contains(part)) && !ABOUT.iter().any(|end| name.ends_with(end));
    if siblings.kind == Some("secret") || is_named && is_no_plain_word(value) {
        return Some(("variable-secret", 0..value.len(), confidence(value)));
    }
    is_random(value).then_some(("high-entropy", 0..value.len(), Confidence::Medium))
}

/// The secret stands behind the name of a scheme, if there is one.
fn header(value: &str, name: &str) -> Option<Judgement> {
    const SHORTEST: usize = 8;
    if !HEADERS.contains(&&*plain(name)) {
        return None;
    }
    let start = value.rfind(' ').map_or(0, |blank| blank + 1);
    let secret = &value[start..];
    (is_literal(secret) && is_literal(value) && secret.len() >= SHORTEST)
        .then(|| ("header-secret", start..value.len(), confidence(secret)))
}

/// Headers of format v1, in one text with a line for each.
fn headers(text: &str) -> Vec<Judgement> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split("\\n") {
        let (name, value) = line.split_once(':').unwrap_or(("", line));
        let offset = start + line.len() - value.trim_start().len();
        let judgements = judge(
            value.trim_start(),
            Place::Plain,
            Role::Header,
            "value",
            Siblings { name: Some(name), kind: None },
        );
        found.extend(
            judgements
                .into_iter()
                .map(|(rule, span, confidence)| (rule, span.start + offset..span.end + offset, confidence)),
        );
        start += line.len() + 2;
    }
    found
}

/// A name without what people put between its words.
fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether it stands for itself, and is not what another secret was replaced by.
fn is_literal(value: &str) -> bool {
    let is_reference = value.contains("{{") && value.contains("}}");
    !(value.trim().is_empty() || is_reference || value == REDACTED)
}

/// Whether it may be a secret at all: a switch or an address is none, whatever it is called.
fn is_no_plain_word(value: &str) -> bool {
    const SHORTEST: usize = 4;
    value.len() >= SHORTEST
        && !matches!(value, "true" | "false" | "null" | "none" | "undefined" | "Bearer" | "bearer")
        && !value.contains("://")
}

fn confidence(value: &str) -> Confidence {
    if is_random(value) { Confidence::High } else { Confidence::Medium }
}

/// Whether nobody would write this by hand, and it is no id.
fn is_random(value: &str) -> bool {
    const SHORTEST: usize = 20;
    const BITS_OF_HEX: f64 = 3.0;
    const BITS_OF_OTHERS: f64 = 3.8;
    let is_part = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=' | b'~')
    };
    if value.len() < SHORTEST || !value.bytes().all(is_part) || value.contains("//") || is_uuid(value) {
        return false;
    }
    let has = |wanted: fn(&u8) -> bool| value.as_bytes().iter().any(wanted);
    let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let bits = if is_hex { BITS_OF_HEX } else { BITS_OF_OTHERS };
    is_mixed && entropy(value) >= bits
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Bits per byte that it takes to tell the bytes of this value apart.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = value.bytes().map(|_| 1.0).sum::<f64>();
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / length;
            -share * share.log2()
        })
        .sum()
}

//! What strings say.

use std::borrow::Cow;

/// What a string says; `None` for what is no string, and for half a surrogate pair.
pub(crate) fn text(token: &str) -> Option<Cow<'_, str>> {
    let inside = token.strip_prefix('"')?.strip_suffix('"')?;
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str(token).ok().map(Cow::Owned)
}

/// What a string says, with a mark in place of half a surrogate pair: for people, and for looking for something in it.
pub(crate) fn lossy(token: &str) -> Option<Cow<'_, str>> {
    if let Some(text) = text(token) {
        return Some(text);
    }
    let inside = token.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inside.len());
    decode(inside, |piece| bytes.extend_from_slice(piece));
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Gives the bytes that the inside of a string stands for, in pieces. Half a surrogate pair is three bytes that UTF-8
/// does not have, so that no two strings are the same bytes.
pub(crate) fn decode(inside: &str, mut give: impl FnMut(&[u8])) {
    let mut rest = inside;
    while let Some(plain) = rest.find('\\') {
        give(&rest.as_bytes()[..plain]);
        let escape = &rest[plain + 1..];
        let letter = escape.as_bytes().first().copied();
        let mut length = 1;
        match letter {
            Some(b'b') => give(b"\x08"),
            Some(b'f') => give(b"\x0c"),
            Some(b'n') => give(b"\n"),
            Some(b'r') => give(b"\r"),
            Some(b't') => give(b"\t"),
            Some(b'u') => {
                let high = unit(escape);
                length = 5;
                let low = escape.get(5..).and_then(|next| next.strip_prefix('\\')).map(unit);
                match low {
                    Some(low @ 0xdc00..=0xdfff) if (0xd800..0xdc00).contains(&high) => {
                        length = 11;
                        code_point(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), &mut give);
                    }
                    _ => code_point(high, &mut give),
                }
            }
            // A quote, a backslash or a slash.
            Some(byte) => give(&[byte]),
            None => length = 0,
        }
        rest = &escape[length..];
    }
    give(rest.as_bytes());
}

/// The number of `uXXXX`.
fn unit(escape: &str) -> u32 {
    let digits = escape.strip_prefix('u').and_then(|digits| digits.get(..4));
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn code_point(number: u32, give: &mut impl FnMut(&[u8])) {
    match char::from_u32(number) {
        Some(character) => give(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => {
            let bits = |shift: u32| u8::try_from(number >> shift & 0x3f).unwrap_or_default() | 0x80;
            give(&[0xed, bits(6), bits(0)]);
        }
    }
}

/// Text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

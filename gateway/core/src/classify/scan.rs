//! One pass over a body that comes in pieces: checks that it is JSON and shows [`Found`] what goes by.
//!
//! Written out rather than left to a parser, because a parser that reads from a stream keeps whole strings and keys,
//! and strangers choose their length. Here nesting costs one bit a level, and everything else has a bound.

use super::found::{Found, Place, Value};

/// Why a body is no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the body is not JSON: {wanted} was expected at byte {at}")]
    Unexpected { wanted: &'static str, at: u64 },
    #[error("the body is not JSON: it ends after {bytes} bytes, within a value")]
    TooShort { bytes: u64 },
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    AfterValue,
    Text,
    Escape,
    Hex {
        digits: u8,
        unit: u32,
    },
    Number(Number),
    /// The rest of `true`, `false` or `null`.
    Word(&'static [u8]),
    /// The rest of a byte order mark, which counts as white space.
    Mark(&'static [u8]),
}

/// What of a number has gone by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Number {
    fn next(self, byte: u8) -> Option<Self> {
        use Number::{Digits, Exponent, ExponentDigits, ExponentSign, Fraction, Minus, Point, Zero};
        Some(match (self, byte) {
            (Minus, b'0') => Zero,
            (Minus | Digits, b'0'..=b'9') => Digits,
            (Zero | Digits, b'.') => Point,
            (Point | Fraction, b'0'..=b'9') => Fraction,
            (Zero | Digits | Fraction, b'e' | b'E') => Exponent,
            (Exponent, b'+' | b'-') => ExponentSign,
            (Exponent | ExponentSign | ExponentDigits, b'0'..=b'9') => ExponentDigits,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Digits | Self::Fraction | Self::ExponentDigits)
    }
}

/// Objects inside one another whose keys can matter: the body, its collection, the collection's info.
const PLACES: usize = 3;

#[derive(Default)]
pub(super) struct Scan {
    state: State,
    /// What goes on after a byte order mark.
    after_mark: State,
    /// The string under way is a key.
    in_key: bool,
    depth: usize,
    /// One bit for each open bracket: set for an object.
    objects: Vec<u64>,
    places: [Place; PLACES],
    /// The whole body is an object.
    is_object: bool,
    /// Bytes in earlier pieces.
    gone: u64,
    found: Found,
}

impl Scan {
    /// Keeps all numbers of a run.
    pub(super) fn with_numbers() -> Self {
        Self { found: Found::with_numbers(), ..Self::default() }
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            let step = match self.state {
                State::Text => self.text(&piece[at..]),
                State::Number(number) => self.number(number, &piece[at..]),
                State::Escape => self.escape(byte),
                State::Hex { digits, unit } => self.hex(digits, unit, byte),
                State::Word(rest) => self.word(rest, byte),
                State::Mark(rest) => self.mark(rest, byte),
                _ if is_blank(byte) => Ok(blanks(&piece[at..])),
                _ => self.between(byte),
            };
            at += step.map_err(|wanted| Fault::Unexpected { wanted, at: self.gone + at as u64 })?;
        }
        self.gone += piece.len() as u64;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Found, Fault> {
        if let State::Number(number) = self.state
            && number.may_end()
        {
            self.end_number();
        }
        if self.state != State::AfterValue || self.depth > 0 {
            return Err(Fault::TooShort { bytes: self.gone });
        }
        if self.is_object { Ok(self.found) } else { Err(Fault::NotAnObject) }
    }

    /// A byte between keys and values.
    fn between(&mut self, byte: u8) -> Step {
        match (self.state, byte) {
            (state, 0xEF) => {
                self.after_mark = state;
                self.state = State::Mark(b"\xBB\xBF");
            }
            (State::Key | State::KeyOrEnd, b'"') => {
                self.in_key = true;
                self.found.begin_key(self.place());
                self.state = State::Text;
            }
            (State::KeyOrEnd, b'}') | (State::ValueOrEnd, b']') => self.close(),
            (State::Key, _) => return Err("a key"),
            (State::KeyOrEnd, _) => return Err("a key or `}`"),
            (State::Colon, b':') => self.state = State::Value,
            (State::Colon, _) => return Err("`:`"),
            (State::AfterValue, _) => return self.after_value(byte),
            _ => return self.begin_value(byte),
        }
        Ok(1)
    }

    fn after_value(&mut self, byte: u8) -> Step {
        let in_object = self.in_object();
        match byte {
            _ if self.depth == 0 => return Err("the end"),
            b',' => self.state = if in_object { State::Key } else { State::Value },
            b'}' if in_object => self.close(),
            b']' if !in_object => self.close(),
            _ => return Err(if in_object { "`,` or `}`" } else { "`,` or `]`" }),
        }
        Ok(1)
    }

    fn begin_value(&mut self, byte: u8) -> Step {
        match byte {
            b'{' => {
                self.is_object |= self.depth == 0;
                let place = self.found.begin_object(self.depth == 0);
                self.open(true, place);
            }
            b'[' => {
                self.found.set(Value::Other);
                self.open(false, Place::Elsewhere);
            }
            b'"' => {
                self.in_key = false;
                self.found.begin_text();
                self.state = State::Text;
            }
            b'-' | b'0'..=b'9' => {
                self.found.begin_text();
                self.found.push_text(&[byte]);
                self.state = State::Number(match byte {
                    b'-' => Number::Minus,
                    b'0' => Number::Zero,
                    _ => Number::Digits,
                });
            }
            b't' => self.begin_word(Value::Other, b"rue"),
            b'f' => self.begin_word(Value::Other, b"alse"),
            b'n' => self.begin_word(Value::Null, b"ull"),
            _ => return Err("a value"),
        }
        Ok(1)
    }

    fn begin_word(&mut self, value: Value, rest: &'static [u8]) {
        self.found.set(value);
        self.state = State::Word(rest);
    }

    fn open(&mut self, object: bool, place: Place) {
        if self.depth.is_multiple_of(64) {
            self.objects.push(0);
        }
        let bit = 1 << (self.depth % 64);
        if let Some(word) = self.objects.last_mut() {
            *word = if object { *word | bit } else { *word & !bit };
        }
        if let Some(here) = self.places.get_mut(self.depth) {
            *here = place;
        }
        self.depth += 1;
        self.state = if object { State::KeyOrEnd } else { State::ValueOrEnd };
    }

    fn close(&mut self) {
        self.depth -= 1;
        if self.depth.is_multiple_of(64) {
            self.objects.pop();
        }
        self.state = State::AfterValue;
    }

    fn in_object(&self) -> bool {
        let bit = 1 << (self.depth.wrapping_sub(1) % 64);
        self.objects.last().is_some_and(|word| word & bit != 0)
    }

    fn place(&self) -> Place {
        self.places.get(self.depth.wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// Goes through a string up to its end, an escape, or the end of the piece.
    fn text(&mut self, rest: &[u8]) -> Step {
        let plain = plain(rest);
        self.found.push_text(&rest[..plain]);
        match rest.get(plain) {
            None => return Ok(plain),
            Some(b'"') => self.end_text(),
            Some(b'\\') => self.state = State::Escape,
            Some(_) if plain > 0 => return Ok(plain),
            Some(_) => return Err("an escape for a control character"),
        }
        Ok(plain + 1)
    }

    fn end_text(&mut self) {
        if self.in_key {
            self.found.end_key(self.place());
            self.state = State::Colon;
        } else {
            self.found.end_text();
            self.state = State::AfterValue;
        }
    }

    fn escape(&mut self, byte: u8) -> Step {
        self.state = State::Text;
        match byte {
            b'"' | b'\\' | b'/' => self.found.push_text(&[byte]),
            b'b' => self.found.push_text(b"\x08"),
            b'f' => self.found.push_text(b"\x0C"),
            b'n' => self.found.push_text(b"\n"),
            b'r' => self.found.push_text(b"\r"),
            b't' => self.found.push_text(b"\t"),
            b'u' => self.state = State::Hex { digits: 0, unit: 0 },
            _ => return Err("an escape"),
        }
        Ok(1)
    }

    fn hex(&mut self, digits: u8, unit: u32, byte: u8) -> Step {
        let digit = char::from(byte).to_digit(16).ok_or("a hexadecimal digit")?;
        let unit = unit << 4 | digit;
        self.state = if digits < 3 { State::Hex { digits: digits + 1, unit } } else { State::Text };
        if self.state == State::Text {
            self.found.push_unit(unit);
        }
        Ok(1)
    }

    /// Goes through a number up to its end, or the end of the piece.
    fn number(&mut self, mut number: Number, rest: &[u8]) -> Step {
        let mut at = 0;
        while let Some(next) = rest.get(at).and_then(|byte| number.next(*byte)) {
            number = next;
            at += 1;
        }
        self.found.push_text(&rest[..at]);
        self.state = State::Number(number);
        match rest.get(at) {
            Some(_) if number.may_end() => self.end_number(),
            Some(_) if at == 0 => return Err("a digit"),
            _ => {}
        }
        Ok(at)
    }

    fn end_number(&mut self) {
        self.found.end_number();
        self.state = State::AfterValue;
    }

    fn word(&mut self, rest: &'static [u8], byte: u8) -> Step {
        match rest {
            [wanted, rest @ ..] if *wanted == byte => {
                self.state = if rest.is_empty() { State::AfterValue } else { State::Word(rest) };
                Ok(1)
            }
            _ => Err("`true`, `false` or `null`"),
        }
    }

    fn mark(&mut self, rest: &'static [u8], byte: u8) -> Step {
        match rest {
            [wanted, rest @ ..] if *wanted == byte => {
                self.state = if rest.is_empty() { self.after_mark } else { State::Mark(rest) };
                Ok(1)
            }
            _ => Err("a key or a value"),
        }
    }
}

/// How many bytes went by, or what was expected instead.
type Step = Result<usize, &'static str>;

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// How many bytes at the beginning of `rest` are white space.
fn blanks(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| is_blank(**byte)).count()
}

/// How many bytes at the beginning of `rest` stand for themselves in a string.
fn plain(rest: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let mut words = rest.chunks_exact(8);
    let mut at = 0;
    for word in words.by_ref() {
        let word = u64::from_le_bytes(word.try_into().expect("it has eight bytes"));
        // The lowest set bit belongs to the first byte that is a control character, a quote or a backslash: a borrow
        // only disturbs bytes behind one.
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = words.remainder();
    at + rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(rest.len())
}

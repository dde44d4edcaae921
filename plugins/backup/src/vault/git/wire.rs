//! The lines of git's smart protocol, as they go over HTTP.

use std::collections::BTreeMap;

use git2::Oid;
use thiserror::Error;

pub(super) const FLUSH: &[u8] = b"0000";
const LENGTH_DIGITS: usize = 4;

/// What a server sent that is not the protocol, or that says no.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Garbled {
    #[error("the answer is not what a git server says")]
    NoLine,
    #[error("the answer ends too early")]
    Short,
    #[error("the server says: {0}")]
    Refused(String),
    #[error("the repository has hashes of another kind than SHA-1")]
    OtherHashes,
}

/// Adds a line.
pub(super) fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(format!("{:04x}{text}", text.len() + LENGTH_DIGITS).as_bytes());
}

/// Takes the next line off; `Some(None)` is a flush, `None` means that more has to come.
fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<Option<&'a [u8]>>, Garbled> {
    let Some(digits) = rest.get(..LENGTH_DIGITS) else { return Ok(None) };
    let digits = std::str::from_utf8(digits).map_err(|_| Garbled::NoLine)?;
    let length = usize::from_str_radix(digits, 16).map_err(|_| Garbled::NoLine)?;
    if length == 0 {
        *rest = &rest[LENGTH_DIGITS..];
        return Ok(Some(None));
    }
    if length < LENGTH_DIGITS {
        return Err(Garbled::NoLine);
    }
    let Some(text) = rest.get(LENGTH_DIGITS..length) else { return Ok(None) };
    *rest = &rest[length..];
    Ok(Some(Some(text)))
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches('\n').to_owned()
}

/// What a server has and can do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Advert {
    pub(super) refs: BTreeMap<String, Oid>,
    capabilities: Vec<String>,
}

impl Advert {
    pub(super) fn parse(service: &str, body: &[u8]) -> Result<Self, Garbled> {
        let mut rest = body;
        let mut advert = Self::default();
        let mut is_first = true;
        let greeting = format!("# service={service}");
        match next(&mut rest)?.flatten() {
            Some(first) if text(first) == greeting => {}
            _ => return Err(Garbled::NoLine),
        }
        let mut flushes = 0;
        while flushes < 2 {
            let Some(line) = next(&mut rest)?.ok_or(Garbled::Short)? else {
                flushes += 1;
                continue;
            };
            let line = text(line);
            if let Some(why) = line.strip_prefix("ERR ") {
                return Err(Garbled::Refused(why.to_owned()));
            }
            let (line, capabilities) = line.split_once('\0').unwrap_or((&line, ""));
            if is_first {
                advert.capabilities = capabilities.split_whitespace().map(str::to_owned).collect();
                is_first = false;
            }
            let (id, name) = line.split_once(' ').ok_or(Garbled::NoLine)?;
            let id = Oid::from_str(id).map_err(|_| Garbled::OtherHashes)?;
            if !id.is_zero() && !name.ends_with("^{}") {
                advert.refs.insert(name.to_owned(), id);
            }
        }
        match advert.value("object-format") {
            None | Some("sha1") => Ok(advert),
            Some(_) => Err(Garbled::OtherHashes),
        }
    }

    pub(super) fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|it| it == capability)
    }

    fn value(&self, capability: &str) -> Option<&str> {
        self.capabilities.iter().find_map(|it| it.strip_prefix(capability)?.strip_prefix('='))
    }

    /// The full name of the branch that the server shows to those who name none.
    pub(super) fn head(&self) -> Option<&str> {
        let symrefs = self.capabilities.iter().filter_map(|it| it.strip_prefix("symref="));
        symrefs.filter_map(|it| it.split_once(':')).find(|(from, _)| *from == "HEAD").map(|(_, to)| to)
    }
}

/// A pack on its way: takes the answer to a fetch in pieces, and gives the bytes of the pack in it.
#[derive(Debug, Default)]
pub(super) struct PackAnswer {
    buffer: Vec<u8>,
    has_bands: bool,
    has_begun: bool,
}

impl PackAnswer {
    pub(super) fn new(has_bands: bool) -> Self {
        Self { has_bands, ..Self::default() }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<u8>, Garbled> {
        self.buffer.extend_from_slice(piece);
        let mut pack = Vec::new();
        let mut rest = &self.buffer[..];
        while !self.has_begun || self.has_bands {
            let Some(line) = next(&mut rest)? else { break };
            let Some(line) = line else { continue };
            if !self.has_begun {
                let line = text(line);
                if let Some(why) = line.strip_prefix("ERR ") {
                    return Err(Garbled::Refused(why.to_owned()));
                }
                if line != "NAK" && !line.starts_with("ACK ") {
                    return Err(Garbled::NoLine);
                }
                self.has_begun = true;
            } else if !line.starts_with(b"ACK ") {
                // It may say of several commits that it has them; no band has the number of an A.
                pack.extend_from_slice(band(line)?);
            }
        }
        if self.has_begun && !self.has_bands {
            pack.extend_from_slice(rest);
            rest = &[];
        }
        self.buffer = rest.to_vec();
        Ok(pack)
    }

    /// Whether the answer may end here.
    pub(super) fn is_whole(&self) -> bool {
        self.has_begun && self.buffer.is_empty()
    }
}

/// What a line says on the band that counts; nothing for one of progress.
fn band(line: &[u8]) -> Result<&[u8], Garbled> {
    match line.split_first() {
        Some((1, data)) => Ok(data),
        Some((2, _)) => Ok(&[]),
        Some((3, why)) => Err(Garbled::Refused(text(why))),
        _ => Err(Garbled::NoLine),
    }
}

/// What a server says of a push of one branch: nothing, or why it did not take it.
pub(super) fn push_report(body: &[u8], has_bands: bool, branch: &str) -> Result<Option<String>, Garbled> {
    let mut report = Vec::new();
    if has_bands {
        let mut rest = body;
        while !rest.is_empty() {
            if let Some(line) = next(&mut rest)?.ok_or(Garbled::Short)? {
                report.extend_from_slice(band(line)?);
            }
        }
    } else {
        report.extend_from_slice(body);
    }
    let mut rest = &report[..];
    let mut is_unpacked = false;
    while let Some(Some(line)) = next(&mut rest)? {
        let line = text(line);
        if let Some(unpacked) = line.strip_prefix("unpack ") {
            if unpacked != "ok" {
                return Err(Garbled::Refused(unpacked.to_owned()));
            }
            is_unpacked = true;
        } else if line.strip_prefix("ok ") == Some(branch) {
            return if is_unpacked { Ok(None) } else { Err(Garbled::NoLine) };
        } else if let Some(no) = line.strip_prefix("ng ").and_then(|no| no.strip_prefix(branch)) {
            return Ok(Some(no.trim().to_owned()));
        }
    }
    Err(Garbled::Short)
}

#[cfg(test)]
mod tests;

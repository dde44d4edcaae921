//! Which rows of a segment hold which terms, as bytes: a small inverted index.
//!
//! How many terms there are, then each term with the end of its rows, sorted by term, then the rows. All numbers are
//! little-endian. A term is a hash, so a row that is found must be looked at.

/// A name and its value, hashed. Terms are stored, so the hash never changes: FNV-1a with 32 bits.
pub(super) fn term(parts: &[&str]) -> u32 {
    const OFFSET: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    // After each part a byte that no text has.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(OFFSET, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME))
}

const COUNT_BYTES: usize = 2;
const TERM_BYTES: usize = 4;
const END_BYTES: usize = 2;
const ENTRY_BYTES: usize = TERM_BYTES + END_BYTES;
const ROW_BYTES: usize = 2;

/// Makes the bytes of pairs of a term and a row.
pub(super) fn encode(mut pairs: Vec<(u32, u16)>) -> Vec<u8> {
    pairs.sort_unstable();
    pairs.dedup();
    let groups = || pairs.chunk_by(|a, b| a.0 == b.0);
    let count = groups().count();
    let mut bytes = Vec::with_capacity(COUNT_BYTES + count * ENTRY_BYTES + pairs.len() * ROW_BYTES);
    bytes.extend(short(count).to_le_bytes());
    let mut end = 0;
    for group in groups() {
        end += group.len();
        bytes.extend(group[0].0.to_le_bytes());
        bytes.extend(short(end).to_le_bytes());
    }
    bytes.extend(pairs.iter().flat_map(|(_, row)| row.to_le_bytes()));
    bytes
}

fn short(number: usize) -> u16 {
    u16::try_from(number).expect("a segment has a few thousand pairs")
}

/// The rows that hold `term`, in their order. Bytes that are damaged have none.
pub(super) fn rows(bytes: &[u8], term: u32) -> impl DoubleEndedIterator<Item = u16> {
    let found = find(bytes, term).unwrap_or_default();
    found.chunks_exact(ROW_BYTES).map(|row| u16::from_le_bytes([row[0], row[1]]))
}

/// The rows that hold all of `terms`, in their order.
pub(super) fn rows_of_all(bytes: &[u8], terms: &[u32]) -> Vec<u16> {
    let Some((first, others)) = terms.split_first() else { return Vec::new() };
    let mut found: Vec<u16> = rows(bytes, *first).collect();
    for term in others {
        let mut also = rows(bytes, *term).peekable();
        found.retain(|row| {
            while also.next_if(|other| other < row).is_some() {}
            also.peek() == Some(row)
        });
    }
    found
}

fn find(bytes: &[u8], term: u32) -> Option<&[u8]> {
    let (count, rest) = bytes.split_first_chunk::<COUNT_BYTES>()?;
    let (terms, rows) = rest.split_at_checked(usize::from(u16::from_le_bytes(*count)) * ENTRY_BYTES)?;
    let (terms, _) = terms.as_chunks::<ENTRY_BYTES>();
    let place = terms.binary_search_by_key(&term, |entry| term_and_end(entry).0).ok()?;
    let end_of = |entry: &[u8; ENTRY_BYTES]| term_and_end(entry).1 * ROW_BYTES;
    let start = place.checked_sub(1).map_or(0, |before| end_of(&terms[before]));
    rows.get(start..end_of(&terms[place]))
}

fn term_and_end(entry: &[u8; ENTRY_BYTES]) -> (u32, usize) {
    let [a, b, c, d, low, high] = *entry;
    (u32::from_le_bytes([a, b, c, d]), usize::from(u16::from_le_bytes([low, high])))
}

#[cfg(test)]
mod tests;

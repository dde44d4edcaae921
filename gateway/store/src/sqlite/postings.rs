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

/// Postings as they were stored.
#[derive(Debug)]
pub(super) struct Postings {
    bytes: Vec<u8>,
    terms: usize,
}

impl Postings {
    /// Takes what [`encode`] has made of a segment of `rows_max` rows; `None` when it is something else.
    pub(super) fn read(bytes: Vec<u8>, rows_max: i64) -> Option<Self> {
        let terms = usize::from(u16::from_le_bytes(*bytes.first_chunk::<COUNT_BYTES>()?));
        let postings = Self { bytes, terms };
        let rows = postings.bytes.get(postings.rows_at()..)?;
        let ends = postings.entries().iter().map(|entry| term_and_end(entry).1);
        let is_whole = ends.is_sorted()
            && postings.entries().last().map_or(0, |entry| term_and_end(entry).1) * ROW_BYTES == rows.len()
            && numbers(rows).all(|row| i64::from(row) < rows_max);
        is_whole.then_some(postings)
    }

    /// The rows that hold all of `terms`, in their order.
    pub(super) fn rows(&self, terms: &[u32]) -> Vec<u16> {
        let Some((first, others)) = terms.split_first() else { return Vec::new() };
        let mut found: Vec<u16> = numbers(self.find(*first)).collect();
        for term in others {
            let mut also = numbers(self.find(*term)).peekable();
            found.retain(|row| {
                while also.next_if(|other| other < row).is_some() {}
                also.peek() == Some(row)
            });
        }
        found
    }

    fn rows_at(&self) -> usize {
        COUNT_BYTES + self.terms * ENTRY_BYTES
    }

    fn entries(&self) -> &[[u8; ENTRY_BYTES]] {
        self.bytes[COUNT_BYTES..self.rows_at()].as_chunks().0
    }

    fn find(&self, term: u32) -> &[u8] {
        let entries = self.entries();
        let Ok(place) = entries.binary_search_by_key(&term, |entry| term_and_end(entry).0) else {
            return &[];
        };
        let end_of = |entry: &[u8; ENTRY_BYTES]| term_and_end(entry).1 * ROW_BYTES;
        let start = place.checked_sub(1).map_or(0, |before| end_of(&entries[before]));
        &self.bytes[self.rows_at()..][start..end_of(&entries[place])]
    }
}

fn numbers(rows: &[u8]) -> impl Iterator<Item = u16> {
    rows.as_chunks().0.iter().map(|row: &[u8; ROW_BYTES]| u16::from_le_bytes(*row))
}

fn term_and_end(entry: &[u8; ENTRY_BYTES]) -> (u32, usize) {
    let [a, b, c, d, low, high] = *entry;
    (u32::from_le_bytes([a, b, c, d]), usize::from(u16::from_le_bytes([low, high])))
}

#[cfg(test)]
mod tests;

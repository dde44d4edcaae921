use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn found(bytes: &[u8], term: u32) -> Vec<u16> {
    rows(bytes, term).collect()
}

#[test]
fn a_term_is_the_same_for_ever() {
    // Stored in databases; a change would hide rows.
    assert_eq!(term(&["kind", "monitor_run"]), 0x2f2b_ad15);
}

#[test]
fn parts_do_not_run_together() {
    assert_ne!(term(&["ab", "c"]), term(&["a", "bc"]));
    assert_ne!(term(&["a", ""]), term(&["a"]));
}

proptest! {
    #[test]
    fn every_term_has_its_rows(pairs in prop::collection::vec((0..50_u32, 0..1024_u16), 0..400)) {
        let mut expected = BTreeMap::<u32, BTreeSet<u16>>::new();
        for (term, row) in &pairs {
            expected.entry(*term).or_default().insert(*row);
        }
        let bytes = encode(pairs);
        for term in 0..50 {
            let rows: Vec<u16> = expected.remove(&term).unwrap_or_default().into_iter().collect();
            prop_assert_eq!(found(&bytes, term), rows);
        }
    }

    #[test]
    fn rows_of_all_terms_are_those_that_each_has(pairs in prop::collection::vec((0..4_u32, 0..40_u16), 0..100)) {
        let bytes = encode(pairs);
        let each = |row: &u16| (0..3).all(|term| rows(&bytes, term).any(|other| other == *row));
        prop_assert_eq!(rows_of_all(&bytes, &[0, 1, 2]), (0..40).filter(each).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_are_read_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200), term in any::<u32>()) {
        let _any: Vec<u16> = found(&bytes, term);
    }
}

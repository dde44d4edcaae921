use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn read(bytes: Vec<u8>) -> Postings {
    Postings::read(bytes, 1024).unwrap()
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
        let postings = read(encode(pairs));
        for term in 0..50 {
            let rows: Vec<u16> = expected.remove(&term).unwrap_or_default().into_iter().collect();
            prop_assert_eq!(postings.rows(&[term]), rows);
        }
    }

    #[test]
    fn rows_of_all_terms_are_those_that_each_has(pairs in prop::collection::vec((0..4_u32, 0..40_u16), 0..100)) {
        let postings = read(encode(pairs));
        let each = |row: &u16| (0..3).all(|term| postings.rows(&[term]).contains(row));
        prop_assert_eq!(postings.rows(&[0, 1, 2]), (0..40).filter(each).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_without_a_fault(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        terms in prop::collection::vec(any::<u32>(), 1..3),
    ) {
        if let Some(postings) = Postings::read(bytes, 1024) {
            prop_assert!(postings.rows(&terms).iter().all(|row| *row < 1024));
        }
    }

    #[test]
    fn what_was_cut_is_refused(pairs in prop::collection::vec((0..4_u32, 0..40_u16), 1..50), cut in 1..9_usize) {
        let mut bytes = encode(pairs);
        bytes.truncate(bytes.len().saturating_sub(cut));
        prop_assert!(Postings::read(bytes, 1024).is_none());
    }
}

use std::cmp::Ordering;

use super::{compare, is};

#[test]
fn versions_are_ordered_as_people_count() {
    let ordered =
        ["0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.2.0", "1.10.0", "2"];
    for (at, one) in ordered.iter().enumerate() {
        for (other_at, other) in ordered.iter().enumerate() {
            assert_eq!(compare(one, other), at.cmp(&other_at), "{one} and {other}");
        }
    }
    assert_eq!(compare("1.0.0+build.1", "1.0.0+build.2"), Ordering::Equal);
}

#[test]
fn a_version_is_named_by_its_first_numbers() {
    for wanted in ["1.2.10", "1.2", "1"] {
        assert!(is("1.2.10", wanted), "{wanted}");
    }
    for wanted in ["1.2.1", "1.20", "2", "1.2.10.1", ""] {
        assert!(!is("1.2.10", wanted), "{wanted}");
    }
}

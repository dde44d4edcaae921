use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";

#[track_caller]
fn check(name: &str, expected: &str) {
    assert_eq!(safe(name, 90), expected);
}

#[test]
fn ordinary_names_stay_as_they_are() {
    check("Checkout API (v2)", "Checkout API (v2)");
    check("结账 – Kasse Ü", "结账 – Kasse Ü");
    check("a.b", "a.b");
}

#[test]
fn special_characters_are_replaced() {
    check("a/b\\c:d", "a_b_c_d");
    check("\"*?<>|", "______");
    check("line\nbreak\0nul\u{85}", "line_break_nul_");
    check("invoice\u{202e}nosj", "invoice_nosj");
}

#[test]
fn names_are_never_hidden_and_never_climb() {
    check("../../etc", "_.._etc");
    check("...", "");
    check(" . name. ", "name");
    check("\u{3000}", "");
}

#[test]
fn long_names_are_cut_between_characters() {
    check(&"ü".repeat(200), &"ü".repeat(45));
}

#[test]
fn a_missing_id_is_said() {
    assert_eq!(folder_id(None), "unknown");
    assert_eq!(folder_id(Some("")), "unknown");
    assert_eq!(folder_id(Some(ID)), ID);
}

#[test]
fn ids_that_look_alike_when_safe_stay_apart() {
    let [slash, colon, plain, upper, lower] =
        ["a/b", "a:b", "a_b", "A_B", "a_b"].map(|id| folder_id(Some(id)));
    assert_eq!((plain.as_str(), &plain), ("a_b", &lower));
    assert!(slash.starts_with("a_b~"), "{slash}");
    assert!(slash != colon && slash != plain && colon != plain, "{slash} {colon}");
    // On a file system that knows no case.
    assert_ne!(upper.to_lowercase(), plain);
}

#[test]
fn only_a_uuid_is_one() {
    assert!(is_uuid(ID));
    for id in ["", "7", "../c3ec8bf7-9432-45e7-a8b3-ed6fa6147", "ünknown"] {
        assert!(!is_uuid(id), "{id:?}");
    }
}

proptest! {
    #[test]
    fn any_id_makes_one_visible_component(id in any::<Option<String>>()) {
        let folder = folder_id(id.as_deref());
        // Made of dots and blanks alone it is told by its hash.
        let components: Vec<_> = Path::new(&folder).components().collect();
        prop_assert_eq!(components, vec![Component::Normal(folder.as_ref())]);
        prop_assert!(folder.len() <= 50);
        prop_assert!(!folder.starts_with('.') && !folder.contains(char::is_control));
    }
}

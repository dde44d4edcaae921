use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";

#[track_caller]
fn check(name: &str, expected: &str) {
    assert_eq!(folder_name(Some(name), Some(ID)), format!("{expected}-{ID}"));
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
    check("...", "unnamed");
    check(" . name. ", "name");
    check("", "unnamed");
    check("\u{3000}", "unnamed");
}

#[test]
fn names_of_devices_are_set_apart() {
    check("con.x", "_con.x");
    check("LPT1 .x", "_LPT1 .x");
    // With the id behind it this is no device.
    check("nul", "nul");
    check("console.x", "console.x");
}

#[test]
fn long_names_are_cut_between_characters() {
    let name = folder_name(Some(&"ü".repeat(200)), Some(ID));
    assert_eq!(name, format!("{}-{ID}", "ü".repeat(45)));
}

#[test]
fn a_missing_name_or_id_is_said() {
    assert_eq!(folder_name(None, Some(ID)), format!("unnamed-{ID}"));
    assert_eq!(folder_name(Some("Shop"), None), "Shop-unknown");
    assert_eq!(folder_name(None, Some("")), "unnamed-unknown");
}

#[test]
fn ids_that_look_alike_when_safe_stay_apart() {
    let [slash, colon, plain] = ["a/b", "a:b", "a_b"].map(|id| folder_name(Some("Shop"), Some(id)));
    assert_eq!(plain, "Shop-a_b");
    assert!(slash.starts_with("Shop-a_b~"), "{slash}");
    assert!(slash != colon && slash != plain && colon != plain, "{slash} {colon}");
}

#[test]
fn only_a_uuid_finds_a_folder_by_its_end() {
    assert_eq!(folder_suffix(Some(ID)), Some(format!("-{ID}")));
    for id in [None, Some(""), Some("7"), Some("../c3ec8bf7-9432-45e7-a8b3-ed6fa6147"), Some("ünknown")] {
        assert_eq!(folder_suffix(id), None, "{id:?}");
    }
}

proptest! {
    #[test]
    fn any_name_and_id_make_one_visible_component(name in any::<Option<String>>(), id in any::<Option<String>>()) {
        let folder = folder_name(name.as_deref(), id.as_deref());
        let components: Vec<_> = Path::new(&folder).components().collect();
        prop_assert_eq!(components, vec![Component::Normal(folder.as_ref())]);
        prop_assert!(folder.len() <= 143);
        prop_assert!(!folder.starts_with('.') && !folder.contains(char::is_control));
    }
}

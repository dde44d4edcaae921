use super::speaks_utf8;

#[track_caller]
fn check(variables: &[(&str, &str)], expected: bool) {
    let variable =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    assert_eq!(speaks_utf8(variable), expected, "{variables:?}");
}

#[test]
fn the_first_variable_that_says_anything_counts() {
    check(&[], false);
    check(&[("LANG", "C")], false);
    check(&[("LANG", "de_DE.UTF-8")], true);
    check(&[("LANG", "C.utf8")], true);
    check(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false);
    check(&[("LANG", "C"), ("LC_ALL", ""), ("LC_CTYPE", "en_US.UTF-8")], true);
}

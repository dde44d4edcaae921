use super::*;

#[test]
fn a_path_is_split_at_its_last_slash() {
    assert_eq!(split("a/b/c"), ("a/b", "c"));
    assert_eq!(split("c"), ("", "c"));
}

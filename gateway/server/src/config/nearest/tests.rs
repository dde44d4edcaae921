use super::hint;

#[track_caller]
fn check(name: &str, known: &[&str], expected: Option<&str>) {
    assert_eq!(hint(name, known.iter().copied()).as_deref(), expected);
}

#[test]
fn the_nearest_name_is_offered_and_otherwise_all_of_them() {
    check("toekns", &["name", "tokens", "labels"], Some("did you mean \"tokens\"?"));
    check("Backup", &["backups", "itoc360"], Some("did you mean \"backups\"?"));
    check("colour", &["name", "tokens"], Some("known here: name, tokens"));
    check("to", &["config", "plugin"], Some("known here: config, plugin"));
    check("anything", &[], None);
}

use super::filter;

#[track_caller]
fn check(flag: Option<&str>, env: Option<&str>, expected: &str) {
    assert_eq!(filter(flag, env, "info").map_err(|error| error.to_string()).unwrap().to_string(), expected);
}

#[test]
fn the_flag_wins_over_the_variable_and_that_over_the_program() {
    check(Some("debug"), Some("trace"), "debug");
    check(None, Some("trace"), "trace");
    check(None, Some(""), "info");
    check(None, None, "info");
}

#[test]
fn a_filter_that_cannot_be_read_names_its_place() {
    let error = filter(Some("postroom=loud"), None, "info").unwrap_err().to_string();
    assert!(error.starts_with("cannot read the log level in --log-level: "), "{error}");
}

#[test]
fn a_slip_in_a_level_is_told_and_does_not_silence_the_log() {
    let error = filter(Some("wran"), None, "info").unwrap_err().to_string();
    assert_eq!(error, "no log level \"wran\" in --log-level: did you mean \"warn\"?");
    check(Some("WARN,postroom_host=debug"), None, "postroom_host=debug,warn");
}

use super::*;

#[track_caller]
fn check_refused(path: &str, fault: &str) {
    let error = check(path).unwrap_err().to_string();
    assert!(error.contains(fault), "{path:?}: {error}");
}

#[test]
fn usual_and_odd_names_are_held() {
    for path in [
        "objects/ab/abcdef.zst",
        "latest/Käse & Brot – 日本語 (v2) #1 100%.json",
        ".hidden",
        "a..b/c",
        &"x".repeat(255),
    ] {
        check(path).unwrap();
    }
    check_folder("").unwrap();
}

#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    for path in ["..", "a/../b", "../a", ".", "a/./b"] {
        check_refused(path, "`.` or `..`");
    }
    for path in ["", "/etc/passwd", "a//b", "a/"] {
        check_refused(path, "empty part");
    }
    check_refused("a\\b", "backslash");
}

#[test]
fn a_name_that_a_service_would_change_is_refused() {
    for path in ["a ", " a", "a./b", "a /b"] {
        check_refused(path, "white space, or ends with a dot");
    }
    check_refused("a\nb", "control character");
    check_refused(&"x".repeat(256), "255 bytes");
    check_refused(&"abc/".repeat(300), "1024 bytes");
    check_refused("a/.postroom-1-0.tmp", "temporary");
}

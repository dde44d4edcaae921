use super::*;

#[test]
fn the_log_has_nothing_that_a_plugin_says_of_an_input() {
    let words = || "no such user: \"jo@example.com\"".to_owned();
    for error in [
        ActionError::NotFound { reason: words() },
        ActionError::Refused { reason: words() },
        ActionError::Unavailable { reason: words() },
        ActionError::Failed { reason: words() },
    ] {
        assert!(!reason(&error).contains("jo@"), "{error:?}");
        assert!(format!("{:?}", told(error)).contains("jo@"), "whoever runs it gets to know");
    }
}

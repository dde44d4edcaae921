use super::{faults::check, good};

/// A file with a route that has this expression, in line 9.
fn file(when: &str) -> String {
    format!(
        "[[source]]\nname = \"postman\"\ntokens = [\"0123456789abcdef\"]\n\
         [[destination]]\nname = \"backups\"\nplugin = \"backup\"\n\
         [[route]]\nname = \"all\"\nwhen = \"\"\"{when}\"\"\"\nto = [\"backups\"]\n"
    )
}

/// Expects exactly one fault in an expression.
#[track_caller]
fn refused(when: &str, message: &str, hint: &str) {
    check(&file(when), &format!("9: route[0].when: {message}"), hint);
}

#[test]
fn an_expression_is_compiled_with_the_route() {
    let config = good(&file("event.kind == 'activity'\n  && activity.model in ['request', 'folder']"));
    let when = config.routes[0].conditions.when.as_ref().unwrap();
    assert_eq!(when.to_string(), "event.kind == 'activity'\n  && activity.model in ['request', 'folder']");
    assert!(good("[[source]]\nname = \"postman\"\ntokens = [\"0123456789abcdef\"]").routes.is_empty());
}

#[test]
fn faults_of_an_expression_are_told_with_line_and_hint() {
    refused(
        "event.kind = 'activity'",
        "the expression cannot be read at line 1, column 12: `=` cannot stand behind a value",
        "did you mean ==?",
    );
    refused("event.verdict == 'fail'", "`event.verdict` is never \"fail\"", "did you mean \"failed\"?");
    refused("verdict == 'failed'", "an event has no `verdict`", "did you mean event.verdict?");
    refused("", "the expression is empty", "leave it out");
    refused("event.knid == 'x'", "an event has no `event.knid`", "did you mean \"event.kind\"?");
    refused("body.name == 'x'", "an event has no `body.name`", "conditions never see the body");
    refused("request.url == 'x'", "an event has no `request.url`", "known here: event.kind, event.source");
    refused("monitor.name.startswith('x')", "there is no function `.startswith`", "\".startsWith\"?");
    refused("event.kind == 3", "`==` cannot take a text and a number", "compare, as in");
    refused("event.subject", "the expression gives a text instead of true or false", "compare, as in");
    refused(
        "event.labels.exists(l, true)",
        "all, exists, exists_one, filter or map cannot be used here",
        "other conditions",
    );
}

#[test]
fn a_source_that_an_expression_names_is_declared() {
    for when in [
        "event.source == 'postmann'",
        "'postmann' != event.source",
        "event.source in ['postman', 'postmann']",
        "event.kind == 'activity' && !(true ? event.source == 'postmann' : false)",
    ] {
        refused(when, "unknown source \"postmann\"", "did you mean \"postman\"?");
    }
    refused("event.source == 'ci'", "unknown source \"ci\"", "known here: postman");
    good(&file(
        "event.source in ['postman'] && event.source != monitor.name && event.source.startsWith('p')",
    ));
    good(&file("monitor.name == 'ci' || event.subject == 'ci'"));
}

#[test]
fn an_expression_is_a_string() {
    check(
        &file("true").replace("\"\"\"true\"\"\"", "true"),
        "9: route[0].when: expected a string, found a boolean",
        "quotes",
    );
}

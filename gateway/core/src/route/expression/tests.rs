use std::{collections::BTreeMap, thread};

use proptest::prelude::*;

use super::{Expression, ExpressionError, Undecided};
use crate::{
    classify::classify,
    event::Event,
    id::{EventId, SourceName},
    limits,
    time::Timestamp,
};

fn event(body: &str) -> Event {
    let seen = classify(body.as_bytes(), "acme");
    Event {
        id: EventId::from_bytes([7; 16]),
        received_at: Timestamp::EPOCH,
        source: SourceName::new("acme"),
        kind: seen.kind,
        subject: seen.subject,
        ordering_key: seen.ordering_key.into(),
        verdict: seen.verdict,
        facts: seen.facts,
        note: seen.note,
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
        content_type: Some("application/json".to_owned()),
        body_bytes: body.len() as u64,
        hops: 0,
    }
}

fn events() -> [Event; 4] {
    [
        event(
            r#"{"monitor_name":" Checkout ","monitor_uid":"1-1e8eea47-e976-4b60-a122-11a5ba65085a",
                "collection_name":"Shop","environment_name":"prod/eu","metrics":{"failedTests":2,"errors":0}}"#,
        ),
        event(r#"{"collection":{"info":{"name":"Shop","_postman_id":"c-1"}}}"#),
        event(r#"{"action":"update","model":"request"}"#),
        event("not json"),
    ]
}

/// What an expression says of a failed run, a backup, an activity and a body that was not recognised.
#[track_caller]
fn check(source: &str, expected: [bool; 4]) {
    let expression = Expression::new(source).unwrap();
    assert_eq!(events().map(|event| expression.holds(&event).unwrap()), expected, "{source}");
}

#[test]
fn every_fact_can_be_asked_for() {
    check(r#"event.kind == "monitor_run""#, [true, false, false, false]);
    check(r#"event.source == "acme""#, [true; 4]);
    check(r#"event.subject == "c-1""#, [false, true, false, false]);
    check(r#"event.verdict == "failed""#, [true, false, false, false]);
    check(r#"event.labels.team == "payments" && event.labels["team"] != "x""#, [true; 4]);
    check(r#"event.content_type.startsWith("application/")"#, [true; 4]);
    check("event.body_bytes > 100", [true, false, false, false]);
    check(r#"monitor.name == "Checkout""#, [true, false, false, false]);
    check(r#"monitor.id.startsWith("1e8eea47")"#, [true, false, false, false]);
    check(r#"collection.name == "Shop""#, [true, true, false, false]);
    check(r#"collection.id == "c-1""#, [false, true, false, false]);
    check(r#"environment.name.startsWith("prod/")"#, [true, false, false, false]);
    check(r#"environment.id == """#, [true; 4]);
    check(r#"activity.action == "update" || activity.model == "x""#, [false, false, true, false]);
    for fact in Expression::facts() {
        check(
            &format!("size({fact}) >= 0 || true").replace("size(event.body_bytes)", "event.body_bytes"),
            [true; 4],
        );
    }
}

#[test]
fn conditions_can_be_put_together() {
    check(r#"event.kind in ["activity", "unrecognized"]"#, [false, false, true, true]);
    check(r#"!(event.kind in ["activity"]) && collection.name.endsWith("op")"#, [true, true, false, false]);
    check(r#"has(event.labels.team) && !has(event.labels.region) && "team" in event.labels"#, [true; 4]);
    check(r#"event.verdict == "failed" ? environment.name.contains("prod") : true"#, [true; 4]);
    check(r#"("/" + collection.name).size() * 2 - 1 == 9 % 10"#, [true, true, false, false]);
    check("event.body_bytes in [24, 59, -7]", [false, true, false, false]);
}

#[test]
fn what_cannot_be_decided_says_why() {
    let undecided = |source| Expression::new(source).unwrap().holds(&events()[0]).unwrap_err();
    assert_eq!(undecided(r#"event.labels.region == "eu""#), Undecided::NoLabel("region".to_owned()));
    assert_eq!(undecided(r#"event.labels["a" + "b"] == "eu""#), Undecided::NoLabel("ab".to_owned()));
    assert_eq!(undecided("1 / (event.body_bytes - event.body_bytes) == 1"), Undecided::DivisionByZero);
    assert_eq!(undecided("1 % (event.body_bytes * 0) == 1"), Undecided::DivisionByZero);
    assert_eq!(undecided("event.body_bytes + 9223372036854775807 > 0"), Undecided::Overflow);
    // One side is enough, as the language says.
    check(r#"event.labels.region == "eu" || true"#, [true; 4]);
    check(r#"event.labels.region == "eu" && false"#, [false; 4]);
}

#[track_caller]
fn refused(source: &str, expected: &str) {
    assert_eq!(Expression::new(source).unwrap_err().to_string(), expected, "{source}");
}

#[test]
fn mistakes_are_found_before_there_is_an_event() {
    refused("event.knid == \"a\"", "an event has no `event.knid`");
    refused("body.x == \"a\"", "an event has no `body.x`");
    refused("monitor == \"a\"", "an event has no `monitor`");
    refused("monitor.name.first == \"a\"", "an event has no `monitor.name.first`");
    refused("event.kind == 3", "`==` cannot take a text and a number");
    refused("true || event.kind", "`||` cannot take true or false and a text");
    refused("event.body_bytes > \"3\"", "`>` cannot take a number and a text");
    refused("event.labels == \"3\"", "`==` cannot take labels and a text");
    refused("event.kind in \"abc\"", "`in` cannot take a text and a text");
    refused("event.kind.startsWith(3)", "`.startsWith` cannot take a text and a number");
    refused("size() == 3", "`size` cannot take nothing");
    refused("-event.kind == 3", "`-` cannot take a text");
    refused("event.kind.matches(\"a+\")", "there is no function `.matches`");
    refused("startsWith(event.kind, \"a\")", "there is no function `startsWith`");
    refused("event.kind", "the expression gives a text instead of true or false");
    refused("event.labels", "the expression gives labels instead of true or false");
    refused("[event.kind, 3] == [3]", "a list of anything but texts, or but numbers, cannot be used here");
    refused(
        "event.body_bytes > 1.5",
        "a number that is not written as a whole one, like 1500, cannot be used here",
    );
    refused("event.kind == null", "null or bytes cannot be used here");
    refused("{\"a\": 1}.a == 1", "a dot behind anything but a name cannot be used here");
    refused("{\"a\": 1} == {}", "{ } cannot be used here");
    refused(
        "has(monitor.name)",
        "has() of anything but a label, as in has(event.labels.team), cannot be used here",
    );
    refused("event.labels.all(l, l == \"a\")", "all, exists, exists_one, filter or map cannot be used here");
}

#[test]
fn comparisons_that_say_the_same_of_every_event_are_found() {
    refused("event.verdict == \"fail\"", "`event.verdict` is never \"fail\"");
    refused("\"monitor_runs\" != event.kind", "`event.kind` is never \"monitor_runs\"");
    refused("event.kind in [\"activity\", \"backup_\"]", "`event.kind` is never \"backup_\"");
    // One that a plugin may make.
    let expression = Expression::new("event.kind in [\"page\", \"activity\"]").unwrap();
    assert_eq!(expression.kinds(), ["page", "activity"]);
    refused("true || event.kind == \"Activity\"", "`event.kind` is never \"Activity\"");
    refused("event.body_bytes / 0 > 1", "a division by zero");
    refused("event.body_bytes % 0 > 1", "a division by zero");
    // A backup has no verdict.
    check("event.verdict == \"\"", [false, true, true, true]);
    check("event.source == \"fail\" || event.kind.startsWith(\"monitor\")", [true, false, false, false]);
}

#[test]
fn the_sources_that_an_expression_compares_with_are_told() {
    let sources = |source| -> Vec<String> {
        Expression::new(source).unwrap().sources().into_iter().map(str::to_owned).collect()
    };
    assert_eq!(sources(r#"event.source == "a" || "b" != event.source"#), ["a", "b"]);
    assert_eq!(sources(r#"!(event.kind == "activity" ? event.source in ["a", "b"] : true)"#), ["a", "b"]);
    assert_eq!(sources(r#"size(event.source == "a" ? "x" : "y") == 1"#), ["a"]);
    let none = r#"event.source.startsWith("a") && event.source != monitor.name && monitor.name == "b""#;
    assert!(sources(none).is_empty());
}

/// What is said of a text that cannot be used, and what to do about it.
#[track_caller]
fn mended(source: &str, message: &str, remedy: &str) {
    let error = Expression::new(source).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.remedy().unwrap_or_default().as_str()),
        (message, remedy),
        "{source}"
    );
}

#[test]
fn names_that_are_nearly_right_are_put_right() {
    let body = "conditions never see the body; `event.body_bytes` is its length";
    mended("event.body.x == \"a\"", "an event has no `event.body.x`", body);
    mended("event.body == \"a\"", "an event has no `event.body`", body);
    mended("body.x == \"a\"", "an event has no `body.x`", body);
    mended("monitor == \"a\"", "an event has no `monitor`", "did you mean monitor.name?");
    mended("verdict == \"failed\"", "an event has no `verdict`", "did you mean event.verdict?");
    mended("labels.team == \"a\"", "an event has no `labels.team`", "did you mean event.labels.team?");
    mended("event[\"kind\"] == \"a\"", "`event[\"kind\"]` cannot be used here", "did you mean event.kind?");
    mended("event.knid == \"a\"", "an event has no `event.knid`", "");
}

#[test]
fn what_cannot_be_read_names_its_place_and_a_remedy() {
    #[track_caller]
    fn at(source: &str, place: &str, message: &str, remedy: &str) {
        mended(source, &format!("the expression cannot be read at {place}: {message}"), remedy);
    }
    at("event.kind ==", "line 1, column 14", "a value is missing at the end", "");
    at("event.kind = 'a'", "line 1, column 12", "`=` cannot stand behind a value", "did you mean ==?");
    at("event.kind === 'a'", "line 1, column 14", "a value is missing before `=`", "did you mean ==?");
    at("'ü' = 'a'", "line 1, column 5", "`=` cannot stand behind a value", "did you mean ==?");
    at("true and false", "line 1, column 6", "`and` cannot stand behind a value", "did you mean &&?");
    at("true & false", "line 1, column 6", "a single `&`", "did you mean &&?");
    at("(true", "line 1, column 6", "a `)` is missing at the end", "");
    at("(event.kind = 'a')", "line 1, column 13", "a `)` is missing before `=`", "did you mean ==?");
    at(
        "event.kind == prod eu",
        "line 1, column 20",
        "`eu` cannot stand behind a value",
        "texts in an expression need quotes: 'prod'",
    );
    at(
        "event.body_bytes > 99999999999999999999",
        "line 1, column 20",
        "the number is too large",
        "the largest is 9223372036854775807",
    );
    at(
        "event.body_bytes > 50KB",
        "line 1, column 20",
        "a number with letters behind it",
        "write a whole number, without a unit",
    );
    at(
        "event.kind ==\n  \"monitor",
        "line 2, column 3",
        "a text does not end",
        "close it with the quote that it began with",
    );
    for empty in ["", " \n"] {
        let remedy = "leave it out, or write a condition, as in event.verdict == 'failed'";
        mended(empty, "the expression is empty", remedy);
    }
}

/// Reads on the stack of a small thread, so that an overflow shows.
fn on_a_small_stack(source: String) -> Result<Expression, ExpressionError> {
    let small = thread::Builder::new().stack_size(1024 * 1024);
    small.spawn(move || Expression::new(&source)).unwrap().join().unwrap()
}

#[test]
fn long_and_deep_expressions_are_refused() {
    let bytes = limits::WHEN_BYTES_MAX + 1;
    assert_eq!(Expression::new(&" ".repeat(bytes)).unwrap_err(), ExpressionError::TooLong { bytes });
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("!(", ")"),
        ("-(", ")"),
        ("size(", ")"),
        ("1+", ""),
        ("1+(", ")"),
        ("true?true:", ""),
        ("true==", ""),
        ("a.", ""),
        ("a[", "]"),
        ("", ".size()"),
        ("", "[0]"),
        ("(", ""),
        ("[", ""),
        ("\"", ""),
    ] {
        let times = limits::WHEN_BYTES_MAX / (open.len() + close.len()).max(2) - 1;
        let source = format!("{}1{}", open.repeat(times), close.repeat(times));
        let refused = on_a_small_stack(source.clone());
        assert!(refused.is_err(), "{source}");
    }
    assert_eq!(on_a_small_stack("1+".repeat(100) + "1 == 1").unwrap_err(), ExpressionError::TooDeep);
    // Width is no depth.
    let wide = format!("event.source in [{}\"x\"]", "\"y\", ".repeat(100));
    assert!(on_a_small_stack(wide).is_ok());
    assert!(on_a_small_stack("true && ".repeat(60) + "true").is_ok());
}

/// Pieces that expressions are made of, put together at random: far more of them can be read than of random text.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "event.kind",
        "event.labels",
        "event.labels.team",
        "event.labels.x",
        "event.body_bytes",
        "monitor.name",
        "\"payments\"",
        "\"\"",
        "'\\n'",
        "0",
        "1",
        "-9223372036854775808",
        "9223372036854775807",
        "true",
        "false",
        "[1, 2]",
        "[\"a\"]",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "in",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        ".size()",
        ".startsWith(\"p\")",
        ".contains(",
        "has(",
        "size(",
        "null",
        "1.5",
        "2u",
        "b'x'",
        ".all(x, true)",
        " ",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

/// Expressions that pass the check by the way they are made.
fn conditions() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("event.body_bytes".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("event.labels.size()".to_owned()),
    ];
    let number = number.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%"]), inner)
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
    });
    let text = prop_oneof![
        prop::sample::select(
            Expression::facts()
                .filter(|fact| !fact.ends_with("labels") && !fact.ends_with("bytes"))
                .collect::<Vec<_>>()
        )
        .prop_map(str::to_owned),
        "[a-zäß😀]{0,6}".prop_map(|text| format!("\"{text}\"")),
        "[a-z]{1,4}".prop_map(|label| format!("event.labels[\"{label}\"]")),
    ];
    let compared = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let condition = prop_oneof![
        (number.clone(), compared.clone(), number).prop_map(|(l, op, r)| format!("{l} {op} {r}")),
        (text.clone(), compared, text.clone()).prop_map(|(l, op, r)| format!("{l} {op} {r}")),
        (text.clone(), prop::sample::select(vec!["contains", "startsWith", "endsWith"]), text.clone())
            .prop_map(|(l, function, r)| format!("{l}.{function}({r})")),
        (text.clone(), text).prop_map(|(l, r)| format!("{l} in [{r}]")),
    ];
    condition.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["&&", "||"]), inner)
            .prop_map(|(left, operator, right)| format!("!({left}) {operator} ({right})"))
    })
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_can_be_evaluated(source in prop_oneof![".{0,60}", pieces()]) {
        if let Ok(expression) = Expression::new(&source) {
            for event in events() {
                prop_assert_ne!(expression.holds(&event), Err(Undecided::Fault), "{}", source);
            }
        }
    }

    #[test]
    fn what_passes_the_check_leaves_only_labels_and_arithmetic_to_go_wrong(source in conditions()) {
        match Expression::new(&source) {
            Ok(expression) => for event in events() {
                prop_assert_ne!(expression.holds(&event), Err(Undecided::Fault), "{}", source);
            },
            // Chance may write a zero, or compare a kind with a word that is none.
            Err(
                ExpressionError::TooDeep
                | ExpressionError::TooLong { .. }
                | ExpressionError::DivisionByZero
                | ExpressionError::UnknownWord { .. },
            ) => {}
            Err(error) => prop_assert!(false, "{}: {}", source, error),
        }
    }
}

use super::cell;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(cell(text), expected, "{text:?}");
}

#[test]
fn plain_texts_stay_as_they_are() {
    for text in ["", "Checkout smoke test", "1e8eea47-8a24", "ünï", "a=b", "it's"] {
        check(text, text);
    }
}

#[test]
fn what_would_break_a_line_is_quoted() {
    check("a,b", "\"a,b\"");
    check("say \"hi\"", "\"say \"\"hi\"\"\"");
    check("two\r\nlines", "\"two\r\nlines\"");
    check("a;b", "\"a;b\"");
    check(" blanks ", "\" blanks \"");
}

#[test]
fn a_spreadsheet_takes_nothing_for_a_formula() {
    check("=1+1", "'=1+1");
    check("+49", "'+49");
    check("-1", "'-1");
    check("@SUM(A1)", "'@SUM(A1)");
    check("\t=1", "\"'\t'=1\"");
    check("\r=1", "\"'\r'=1\"");
    check("  =1", "'  =1");
    check("＝1", "'＝1");
    check("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
    check("=HYPERLINK(\"http://a\",\"b\")", "\"'=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\"");
}

/// The cells of a line for who ends them at every separator and knows nothing of quotes.
fn split(line: &str) -> impl Iterator<Item = &str> {
    line.split([',', ';', '\t', '\r', '\n']).map(|cell| cell.trim_start_matches([' ', '"']))
}

#[test]
fn a_spreadsheet_with_another_separator_takes_nothing_for_a_formula() {
    check("x;=cmd|'/C calc'!A0;y", "\"x;'=cmd|'/C calc'!A0;y\"");
    check("a,-1", "\"a,'-1\"");
    check("a\t =1", "\"a\t' =1\"");
    for name in ["x;=1;y", "x\t@A1", "x; \"+1\"", "x\r\n-1", "x\n\n=1", "x;;=1", "=1;=2;=3", "x,=1"] {
        let line = format!("2026-11-22T08:00:00Z,passed,4,{},{}", cell("1e8e;=1"), cell(name));
        for found in split(&line) {
            assert!(!found.starts_with(['=', '+', '-', '@']), "{found:?} of {line:?}");
        }
    }
}

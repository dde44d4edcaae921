use super::*;

#[test]
fn tables_are_aligned_without_blanks_at_the_end() {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let rows = [
        ["a".to_owned(), "äöü".to_owned(), "x".to_owned()],
        ["long name".to_owned(), String::new(), String::new()],
    ];
    Output::new(&mut data, &mut talk, Colour::default()).table(["NAME", "B", "C"], &rows).unwrap();
    assert_eq!(String::from_utf8(data).unwrap(), "NAME       B    C\na          äöü  x\nlong name\n");
    assert!(talk.is_empty());
}

#[test]
fn what_strangers_wrote_does_nothing_to_a_terminal() {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let rows = [["\u{1b}[2Ja\nb".to_owned(), "\u{202e}c\u{9b}1m".to_owned()]];
    Output::new(&mut data, &mut talk, Colour::default()).table(["A", "B"], &rows).unwrap();
    assert_eq!(String::from_utf8(data).unwrap(), "A        B\n [2Ja b   c 1m\n");
}

#[test]
fn data_and_talk_stay_apart() {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    output.json(&serde_json::json!({ "a": 1 })).unwrap();
    output.error("no").unwrap();
    assert_eq!(String::from_utf8(data).unwrap(), "{\n  \"a\": 1\n}\n");
    assert_eq!(String::from_utf8(talk).unwrap(), "error: no\n");
}

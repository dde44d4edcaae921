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
fn columns_are_aligned_by_what_a_terminal_shows() {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let rows = [["漢字".to_owned(), "x".to_owned()], ["e\u{301}abcd".to_owned(), "y".to_owned()]];
    Output::new(&mut data, &mut talk, Colour::default()).table(["A", "B"], &rows).unwrap();
    assert_eq!(String::from_utf8(data).unwrap(), "A      B\n漢字   x\ne\u{301}abcd  y\n");
}

#[test]
fn long_names_are_cut_where_somebody_looks() {
    let rows =
        [["Checkout of all providers".to_owned(), "1e8e".to_owned()], ["漢".repeat(12), "77aa".to_owned()]];
    let shown = |screen: Screen| {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut data, &mut talk, Colour::default()).on(screen);
        output.table_within(["NAME", "ID"], &rows, 0).unwrap();
        String::from_utf8(data).unwrap()
    };
    let whole = format!("{:25}  ID\nCheckout of all providers  1e8e\n{}   77aa\n", "NAME", "漢".repeat(12));
    assert_eq!(shown(Screen { width: 29, ..Screen::default() }), whole, "a program reads all of it");
    let terminal = Screen { width: 29, unicode: true, is_terminal: true };
    let cut = format!("{:23}  ID\nCheckout of all provid…  1e8e\n{}…  77aa\n", "NAME", "漢".repeat(11));
    assert_eq!(shown(terminal), cut);
    assert!(shown(Screen { unicode: false, ..terminal }).contains("\nCheckout of all prov...  1e8e\n"));
    assert!(shown(Screen { width: 10, ..terminal }).contains("Checkout of all pro…"), "not to nothing");
}

#[test]
fn columns_that_can_be_spared_go_where_lines_would_not_fit() {
    let rows = [["Checkout of all providers".to_owned(), "x".repeat(10), "y".repeat(10), "1e8e".to_owned()]];
    let shown = |width: usize, is_terminal: bool| {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut data, &mut talk, Colour::default());
        output = output.on(Screen { width, unicode: true, is_terminal });
        output.table_sparing(["NAME", "A", "B", "ID"], &rows, 0, &[2, 1]).unwrap();
        let data = String::from_utf8(data).unwrap();
        (data.lines().nth(1).unwrap().to_owned(), String::from_utf8(talk).unwrap())
    };
    let whole = "Checkout of all providers  xxxxxxxxxx  yyyyyyyyyy  1e8e";
    assert_eq!(shown(55, true), (whole.to_owned(), String::new()));
    assert_eq!(shown(20, false), (whole.to_owned(), String::new()), "a program reads all of it");
    let cut = "Checkout of all pro…  xxxxxxxxxx  yyyyyyyyyy  1e8e";
    assert_eq!(shown(50, true), (cut.to_owned(), String::new()));
    let said = |gone: &str| format!("no room for {gone}: a wider terminal or --json has it\n");
    assert_eq!(shown(49, true), ("Checkout of all providers  xxxxxxxxxx  1e8e".to_owned(), said("B")));
    assert_eq!(shown(26, true), ("Checkout of all pro…  1e8e".to_owned(), said("A, B")));
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

#[test]
fn progress_is_written_over_and_gone_before_anything_else_is_said() {
    let said = |progress: Progress| {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut data, &mut talk, Colour::default()).telling(progress);
        output.progress("1 of 2\u{1b}[2J").unwrap();
        output.progress("2 of 2, and a name that does not fit").unwrap();
        output.line("done").unwrap();
        output.say("well").unwrap();
        assert_eq!(String::from_utf8(data).unwrap(), "done\n");
        String::from_utf8(talk).unwrap()
    };
    let shown = "\r\x1b[K1 of 2 [2J\r\x1b[K2 of 2, and...\r\x1b[Kwell\n";
    assert_eq!(said(Progress::on_terminal(16)), shown);
    assert_eq!(said(Progress::default()), "well\n", "nobody looks");
}

#[test]
fn only_a_yes_is_a_yes() {
    let asked = |answer: Option<&str>| {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut person = answer.unwrap_or_default().as_bytes();
        let output = Output::new(&mut data, &mut talk, Colour::default());
        let mut output = if answer.is_some() { output.asking(&mut person) } else { output };
        assert_eq!(output.can_ask(), answer.is_some());
        let yes = output.ask("Really?").unwrap();
        (yes, String::from_utf8(talk).unwrap())
    };
    for (answer, yes) in [("y\n", true), ("Yes \n", true), ("\n", false), ("yesterday\n", false), ("", false)]
    {
        assert_eq!(asked(Some(answer)), (yes, "Really? [y/N] ".to_owned()), "{answer}");
    }
    assert_eq!(asked(None), (false, String::new()), "nobody is there");
}

use super::*;

#[test]
fn a_place_reads_back_whatever_monitors_are_called() {
    for (list_name, uid) in
        [("checkout", "1e8eea47"), ("", "x"), ("a.b 7.", "9.c"), ("ärger\0\n", "ü"), ("12.", "")]
    {
        let place = MonitorPlace { list_name: list_name.to_owned(), uid: uid.to_owned() };
        assert_eq!(read(&write(&place)).unwrap(), place);
    }
}

#[test]
fn what_is_no_place_is_refused() {
    for text in ["", "7", "x.abc", "-1.abc", "9.abc", "1.ä", "99999999999999999999.a"] {
        assert!(matches!(read(text), Err(ReadError::BadParameter { name: "cursor", .. })), "{text}");
    }
}

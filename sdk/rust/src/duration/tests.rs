use super::*;

#[test]
fn reads_every_unit() {
    let cases =
        [("0s", 0), ("500ms", 500), ("10s", 10_000), ("2 m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000)];
    for (text, ms) in cases {
        assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
    }
}

#[test]
fn refuses_what_is_no_duration() {
    for text in ["", "10", "s", "-1s", "1.5s", "10 seconds", "99999999999999999999s", "18446744073709551615d"]
    {
        assert_eq!(parse(text), None, "{text}");
    }
}

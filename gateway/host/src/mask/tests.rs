use postroom_core::secret::Secret;

use super::{Mask, RETIRED_MAX};

const URL: &str = "https://itoc360.test/events?token=s3cret";
const QUOTED: &str = "quote\" slash/ back\\slash é 😀";

fn mask(secrets: &[&str]) -> Mask {
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    Mask::new(&secrets)
}

#[track_caller]
fn check(secrets: &[&str], text: &str, expected: &str) {
    assert_eq!(mask(secrets).text(text, usize::MAX), expected);
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    check(&[URL], "nothing here", "nothing here");
    check(&[URL], URL, "***");
    check(&[URL], &format!("cannot reach {URL}, not even {URL}!"), "cannot reach ***, not even ***!");
    check(&["first-one", "second-one"], "first-one, second-one", "***, ***");
    check(&[QUOTED], &format!("é{QUOTED}é"), "é***é");
    check(&[], URL, URL);
}

#[test]
fn secrets_within_or_across_others_leave_nothing_behind() {
    check(&["secret-1", "secret-1-and-more"], "secret-1-and-more secret-1", "*** ***");
    check(&["abcdefgh", "efghijkl"], "-abcdefghijkl-", "-***-");
}

#[test]
fn short_values_are_no_secrets() {
    check(&["seven77", "", "   short    "], "seven77 short", "seven77 short");
}

#[test]
fn white_space_around_a_secret_is_not_part_of_it() {
    check(&["s3cret-token\n"], "token s3cret-token.", "token ***.");
}

#[test]
fn the_lines_of_a_secret_are_secrets() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----\n";
    check(&[key], "MIIEvQIBADAN", "***");
    check(&[key], &format!("key: {key}"), "key: ***\n");
}

/// Writes the secret into a JSON text and checks that it is gone, and that the text is JSON still.
#[track_caller]
fn check_json(written: &str) {
    let json = format!(r#"{{"a \"quote\"":["{written}"],"{written}":1.50}}"#);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(value.get(QUOTED).is_some(), "the test writes another secret");
    check(&[QUOTED], &json, r#"{"a \"quote\"":["***"],"***":1.50}"#);
}

#[test]
fn secrets_in_json_are_masked_however_they_are_escaped() {
    check_json(r#"quote\" slash/ back\\slash é 😀"#);
    check_json(r#"quote\" slash\/ back\\slash \u00e9 \ud83d\ude00"#);
    check_json(r"\u0071uote\u0022 slash\u002F back\u005cslash é \uD83D\uDE00");
}

#[test]
fn what_only_looks_like_an_escape_is_no_fault() {
    for text in ["\\", "\\u", "\\u12", "\\ud83d", "\\ud83d\\u0041", "\\x", "\\ué12"] {
        check(&[QUOTED], text, text);
        check(&[QUOTED], &format!("quote{text}"), &format!("quote{text}"));
    }
}

#[track_caller]
fn check_cut(text: &str, expected: &str) {
    assert_eq!(mask(&[URL, QUOTED]).text(text, text.len()), expected);
}

#[test]
fn the_beginning_of_a_secret_where_the_text_was_cut_is_masked() {
    check_cut("no answer from https://itoc360.te", "no answer from ***");
    check_cut("quote\" sl\u{fffd}", "***");
    check_cut(r#"quote\" slash\/ back\\slash \ud83"#, "***");
    check_cut("see https:/", "see https:/");
    check(&[URL], "no answer from https://itoc360.te", "no answer from https://itoc360.te");
}

#[test]
fn a_line_has_no_control_characters_and_is_bounded_after_masking() {
    let line = |text, bytes_max| mask(&["s3cret-token"]).one_line(text, bytes_max);
    assert_eq!(line(" two\nlines \u{1b}[31m ", 100), "two lines  [31m");
    assert_eq!(line("aé", 2), "a");
    assert_eq!(line("a s3cret-token z", 9), "a *** z");
    assert_eq!(line("a s3cret-to", 11), "a ***");
}

#[test]
fn a_mask_does_not_print_what_it_masks() {
    assert_eq!(format!("{:?}", mask(&[URL])), "Mask { secrets: [Secret(***)] }");
}

#[test]
fn secrets_that_were_replaced_are_masked_as_long_as_somebody_has_them_and_a_good_while_after() {
    let mask = Mask::default();
    let secret = |number: usize| [Secret::new(format!("s3cret-token-{number:02}"))];
    let masks = |number: usize| {
        let text = secret(number)[0].expose().to_owned();
        mask.text(&text, usize::MAX) == "***"
    };
    let held = mask.give(&secret(0));
    for number in 1..=2 * RETIRED_MAX {
        mask.give(&secret(number));
        assert!(masks(number) && masks(number.saturating_sub(1)));
    }
    assert!(masks(0), "somebody has it");
    assert!(!masks(1), "so many sets are not kept");
    assert!((RETIRED_MAX + 2..=2 * RETIRED_MAX).all(masks));

    // What is given again counts as given last.
    mask.give(&secret(RETIRED_MAX + 2));
    drop(held);
    for number in 50..50 + RETIRED_MAX {
        mask.give(&secret(number));
    }
    assert!(masks(RETIRED_MAX + 2) && !masks(0) && !masks(2 * RETIRED_MAX));
}

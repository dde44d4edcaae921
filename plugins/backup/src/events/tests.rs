use super::*;

#[test]
fn long_texts_are_cut_between_lines() {
    assert_eq!(fit_text("short".to_owned()), "short");
    let long = "- ein Wörtchen\n".repeat(10_000);
    let cut = fit_text(long);
    assert!(cut.len() <= TEXT_BYTES_MAX + 8 && cut.ends_with("Wörtchen\n…\n"), "{}", cut.len());
}

use postroom_core::id::DestinationName;

use super::*;
use crate::testing::Log;

async fn logged(destination: &'static str, printed: &[u8]) -> String {
    let log = Log::of(destination);
    let plugin_log = PluginLog::new(DestinationName::new(destination), Arc::default());
    copy_lines(printed, "stdout", Arc::new(plugin_log)).await;
    log.text()
}

#[tokio::test]
async fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    let printed = format!("{}\nnext\n", "x".repeat(10 * MESSAGE_BYTES_MAX));
    let text = logged("long-winded", printed.as_bytes()).await;
    let lines: Vec<&str> = text.lines().collect();
    let [long, next] = *lines else { panic!("{} lines", lines.len()) };
    assert_eq!(long.matches('x').count(), MESSAGE_BYTES_MAX);
    assert!(next.contains("plugin: next"), "{next}");
}

#[tokio::test]
async fn a_flood_of_lines_is_bounded_and_read_to_its_end() {
    let text = logged("flooding", "line\n".repeat(100_000).as_bytes()).await;
    let lines = text.lines().count();
    // What is read while the budget refills comes on top; it is fifty a second.
    assert!((500..2000).contains(&lines), "{lines} lines");
}

#[tokio::test]
async fn what_has_no_end_of_line_and_is_no_text_is_logged_too() {
    let text = logged("mumbling", b"\xff\xfe end").await;
    assert!(text.contains("plugin: \u{fffd}\u{fffd} end"), "{text}");
}

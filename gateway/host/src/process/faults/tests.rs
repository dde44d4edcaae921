use super::*;
use crate::testing::Log;

#[test]
fn each_rule_is_logged_once_and_counts_only_grow() {
    let log = Log::of("unruly");
    let (book, faults) = FaultBook::new(DestinationName::new("unruly"));
    book.note(Faults::default());
    assert_eq!(log.text(), "");
    for stale in [1, 2, 3] {
        book.note(Faults { stale, ..Faults::default() });
    }
    book.note(Faults { slow: 7, ..Faults::default() });
    assert_eq!(*faults.borrow(), Faults { stale: 3, slow: 7, ..Faults::default() });
    let text = log.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("rule=\"stale\"") && text.contains("rule=\"slow\""), "{text}");
}

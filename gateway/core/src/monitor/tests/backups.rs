use super::*;
use crate::route::Pattern;

const DAY: i64 = 24 * 3600;

#[test]
fn a_backup_is_overdue_once_until_the_next_comes() {
    let week = seconds(7 * 24 * 3600);
    let always = Watch::always();
    let mut collection = CollectionWatch::new("c".to_owned(), Some("Shop".to_owned()), event(1), second(0));
    assert_eq!(collection.due(week, &always), Some(second(7 * DAY)));
    assert!(!collection.tick(week, &always, second(7 * DAY - 1)));
    assert!(collection.tick(week, &always, second(7 * DAY)));
    assert_eq!(collection.due(week, &always), None);
    assert!(!collection.tick(week, &always, second(9 * DAY)));
    collection.backup(None, event(2), second(10 * DAY));
    assert_eq!((collection.overdue_since, collection.name.as_deref()), (None, Some("Shop")));
    // One that was away gives it an hour.
    let watch = away(11 * DAY, 20 * DAY);
    assert_eq!(collection.due(week, &watch), Some(second(20 * DAY + 3600)));
}

#[test]
fn an_absence_before_the_last_backup_hides_none() {
    let collection = |at| CollectionWatch::new("c".to_owned(), None, event(1), second(at));
    let soon = seconds(60);
    assert_eq!(collection(0).due(soon, &away(-DAY, -1)), Some(second(60)), "the first since it was started");
    assert_eq!(collection(DAY).due(soon, &Watch::since(second(DAY))), Some(second(DAY + 60)));
    // One from the time before may have been followed by another that nobody heard.
    assert_eq!(collection(0).due(soon, &Watch::since(second(DAY))), Some(second(DAY + 3600)));
    assert_eq!(collection(0).due(soon, &away(30, 60)), Some(second(60 + 3600)));
}

#[test]
fn the_last_rule_that_matches_counts() {
    let rule = |glob: &str, days: u64| BackupRule {
        collection: vec![Pattern::new(glob).unwrap()],
        overdue_after: seconds(days * 24 * 3600),
    };
    let rules = [rule("*", 8), rule("Shop", 2), rule("x", 1)];
    let collection =
        |name: &str| CollectionWatch::new("c".to_owned(), Some(name.to_owned()), event(1), second(0));
    let after = |name: &str| BackupRule::overdue_after(&rules, &collection(name));
    assert_eq!((after("Shop "), after("Blog")), (Some(seconds(2 * 86_400)), Some(seconds(8 * 86_400))));
    assert_eq!(BackupRule::overdue_after(&[], &collection("Shop")), None);
}

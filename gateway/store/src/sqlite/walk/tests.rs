use rusqlite::Connection;

use super::*;

/// Walks the numbers up to `count`, newest first, for the multiples of `step`.
#[track_caller]
fn check(count: usize, step: i64, limit: usize, expected: &[i64], next: Option<i64>) {
    let mut connection = Connection::open_in_memory().unwrap();
    let transaction = connection.transaction().unwrap();
    let sql =
        format!("WITH n(i) AS (SELECT {count} UNION ALL SELECT i - 1 FROM n WHERE i > 1) SELECT i FROM n");
    let page = walk(&transaction, &sql, [], limit, |row| Ok(row.get::<_, i64>(0)? % step == 0)).unwrap();
    assert_eq!((page.items, page.next), (expected.to_vec(), next));
}

#[test]
fn a_page_ends_at_its_limit() {
    check(5, 1, 2, &[5, 4], Some(4));
    check(5, 2, 1, &[4], Some(4));
}

#[test]
fn the_last_page_says_so() {
    check(2, 1, 2, &[2, 1], None);
    check(2, 1, 3, &[2, 1], None);
}

#[test]
fn a_page_of_nothing_would_never_end() {
    check(2, 1, 0, &[2], Some(2));
}

#[test]
fn a_page_looks_at_a_bounded_number_of_rows() {
    let count = WALK_ROWS_MAX + 5;
    check(count, 3, usize::MAX, &(6..=10_005).rev().filter(|n| n % 3 == 0).collect::<Vec<_>>(), Some(6));
    check(count, 1_000_000, 1, &[], Some(6));
}

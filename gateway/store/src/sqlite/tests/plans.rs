//! How SQLite goes about each query. A query that reads a table or a full index from end to end is fast in every
//! other test and slow after a year.

use super::*;

#[track_caller]
fn check(connection: &Connection, sql: &str) {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let details: Vec<String> = {
        let count = statement.parameter_count();
        let nulls = rusqlite::params_from_iter(std::iter::repeat_n(rusqlite::types::Null, count));
        statement.query_map(nulls, |row| row.get("detail")).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert!(!details.is_empty(), "{sql}");
    for detail in &details {
        // Counting what waits reads all of the waiting, which an index of nothing else holds.
        let allowed = detail == "SCAN delivery USING COVERING INDEX delivery_waiting";
        let bad = (detail.contains("SCAN") && !allowed) || detail.contains("TEMP B-TREE");
        assert!(!bad, "{detail}\nof all {details:#?}\nin {sql}");
    }
}

#[test]
fn no_query_reads_all_of_a_table_or_sorts() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let connection = Connection::open(scratch.path()).unwrap();
    let queries = events::QUERIES.iter().chain(&deliveries::QUERIES).chain(&change::QUERIES);
    for sql in queries {
        check(&connection, sql);
    }
}

//! How SQLite goes about each query. A query that reads a table or a full index from end to end is fast in every
//! other test and slow after a year.

use super::*;

/// What may be read from end to end, because there is little of it however much is finished.
const SMALL: [&str; 9] = [
    // What waits, in an index of nothing else.
    "SCAN delivery USING COVERING INDEX delivery_waiting",
    // Replays that are not at their end.
    "SCAN replay USING INDEX replay_running",
    // An entry for a thousand rows.
    "SCAN event_segment USING COVERING INDEX event_segment_times",
    "SCAN delivery_segment USING COVERING INDEX delivery_segment_times",
    // A row of some bytes for a file of 32 KiB and more; read by retention alone.
    "SCAN blob",
    // A row for each paused destination.
    "SCAN pause",
    // A row for each destination whose plugin has kept something.
    "SCAN plugin_state_usage",
    // A row for each API key, which people make by hand.
    "SCAN api_key",
    "SCAN api_key_use",
];

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
        let reads_all = detail.contains("SCAN") && !SMALL.contains(&&detail[..]);
        assert!(!reads_all && !detail.contains("TEMP B-TREE"), "{detail}\nof all {details:#?}\nin {sql}");
    }
}

#[test]
fn no_query_reads_all_of_a_table_or_sorts() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let connection = Connection::open(scratch.path()).unwrap();
    let reads = events::QUERIES
        .into_iter()
        .chain(deliveries::QUERIES)
        .chain(event_log::QUERIES)
        .chain(monitors::QUERIES)
        .chain(runs::QUERIES)
        .chain(incidents::QUERIES)
        .chain(replays::QUERIES)
        .chain(overview::QUERIES)
        .chain(pauses::QUERIES)
        .chain(access::QUERIES)
        .chain(audit::QUERIES)
        .chain(plugin_state::QUERIES)
        .chain(prune::QUERIES)
        .chain(pick::queries())
        .chain(segments::EVENTS.queries())
        .chain(segments::DELIVERIES.queries());
    for sql in reads.chain(change::queries()) {
        check(&connection, sql);
    }
}

//! Segments beside rows that were removed or damaged.

use super::*;
use crate::{EventFilter, Prune, testing::lane};

fn numbers(scratch: &Scratch, table: &str) -> Vec<i64> {
    let connection = Connection::open(scratch.path()).unwrap();
    let mut statement = connection.prepare(&format!("SELECT number FROM {table} ORDER BY number")).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_segment_goes_when_all_its_rows_are_gone() {
    let scratch = Scratch::new();
    let store = scratch.store();
    // It waits for ever.
    accept(&store, new_event(1, "k", &["d"])).await;
    for n in 2..=40 {
        finished(&store, new_event(n, "k", &["d"]), DeliveryState::Delivered, 2_000).await;
    }
    loop {
        let prune = Prune { events_before: Some(at(3_000)), limit: 9, ..Prune::default() };
        if !store.prune(prune).await.unwrap().more {
            break;
        }
    }
    assert_eq!(numbers(&scratch, "event_segment").len(), 2, "of the one row that is left, and the last");
}

#[tokio::test]
async fn any_cursor_gives_a_page() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 1..=9 {
        accept(&store, new_event(n, "k", &["d"])).await;
    }
    let filter = EventFilter { subject: Some("k".to_owned()), ..EventFilter::default() };
    let found = store.events(filter, page(Some(i64::MIN), 9)).await.unwrap();
    assert!(found.items.is_empty());
}

#[tokio::test]
async fn a_damaged_segment_hides_no_waiting_delivery() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 1..=6 {
        accept(&store, new_event(n, "k", &["d"])).await;
    }
    scratch.meddle("UPDATE delivery_segment SET postings = x'0500'");
    let all = waiting_for(&store, "d").await;
    let in_lane = store.waiting_in_lane(lane("d", "k"), None, 99).await.unwrap();
    assert_eq!(in_lane.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), all);
}

/// Makes events 1 to `last` with a page each and then damages the page of event `damaged`.
async fn with_a_damaged_page(scratch: &Scratch, last: u32, damaged: u32) {
    {
        let store = scratch.store();
        for n in 1..=last {
            accept(&store, with_body(new_event(n, "k", &[]), format!("MARK{n}").repeat(2_400))).await;
        }
    }
    let mark = format!("MARK{damaged}");
    let mut bytes = std::fs::read(scratch.path()).unwrap();
    let leaf = |page: &[u8]| page[0] == 0x0d && page.windows(5).any(|window| window == mark.as_bytes());
    let start = bytes.chunks(16_384).position(leaf).expect("a leaf of the table") * 16_384;
    bytes[start..start + 8].fill(0xff);
    std::fs::write(scratch.path(), bytes).unwrap();
}

/// Row 4 is in the segment that grows.
#[tokio::test]
async fn a_damaged_page_does_not_stop_intake() {
    let scratch = Scratch::new();
    with_a_damaged_page(&scratch, 5, 4).await;
    let store = scratch.store();
    let mut errors = Vec::new();
    for n in 6..=12 {
        if let Err(error) = store.accept(new_event(n, "k", &["d"])).await {
            errors.push((n, error.to_string()));
        }
    }
    assert_eq!(errors, [], "the new events have nothing to do with the damaged page");
}

#[tokio::test]
async fn a_damaged_page_does_not_keep_the_store_shut() {
    let scratch = Scratch::new();
    with_a_damaged_page(&scratch, 2, 1).await;
    drop(SqliteStore::open(scratch.options()).unwrap());
}

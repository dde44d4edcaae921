use super::*;

/// Removes the oldest of events of these sizes until no more than `size_max` is used; gives how much is left, and in how
/// many chunks.
fn shrink(mut sizes: Vec<u64>, size_max: u64) -> (u64, usize) {
    let mut room = Room::default();
    let mut chunks = 0;
    loop {
        let used: u64 = sizes.iter().sum();
        if used <= size_max {
            return (used, chunks);
        }
        let events = room.next(used, used - size_max);
        assert!((1..=CHUNK_ROWS).contains(&events), "{events}");
        let events = events.min(sizes.len());
        sizes.drain(..events);
        room.removed(events as u64);
        chunks += 1;
    }
}

#[test]
fn large_events_do_not_go_by_the_hundred() {
    let (left, chunks) = shrink(vec![16_000_000; 500], 7_900_000_000);
    assert!(left >= 7_900_000_000 - 2 * 16_000_000, "{left}");
    assert!(chunks <= 5, "{chunks}");
}

#[test]
fn small_events_go_in_whole_chunks() {
    let (left, chunks) = shrink(vec![1_000; 20_000], 10_000_000);
    assert!(left >= 10_000_000 - 2_000, "{left}");
    assert!(chunks <= 10_000 / CHUNK_ROWS + 12, "{chunks}");
}

#[test]
fn a_large_one_behind_small_ones_costs_at_most_a_chunk_too_many() {
    let sizes = [vec![1_000; 1_000], vec![16_000_000; 200]].concat();
    let (left, _) = shrink(sizes, 3_000_000_000);
    assert!(left >= 3_000_000_000 - 16_000_000 * CHUNK_ROWS as u64, "{left}");
}

#[test]
fn events_that_free_nothing_go_faster_and_faster() {
    let mut room = Room::default();
    let chunks: Vec<_> = (0..10)
        .map(|_| {
            let events = room.next(1_000, 100);
            room.removed(events as u64);
            events
        })
        .collect();
    assert_eq!(chunks, [1, 2, 4, 8, 16, 32, 64, 128, 128, 128]);
}

#[test]
fn only_events_that_went_say_what_one_frees() {
    let mut room = Room::default();
    let mut asked = Vec::new();
    // The last of these chunks is about eight, of which seven wait; the one that went frees a hundred.
    for (used, removed) in [(2_000, 0), (2_000, 1), (2_000, 2), (2_000, 4), (2_000, 1), (1_900, 5)] {
        asked.push(room.next(used, 400));
        room.removed(removed);
    }
    assert_eq!(asked, [1, 1, 2, 4, 8, 5]);
}

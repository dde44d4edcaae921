use super::*;

/// A writer beside the reader, whose every commit finds room.
#[test]
fn a_feed_that_never_overflows_has_no_gaps() {
    const COMMITS: i64 = 100_000;
    let (sender, commits) = mpsc::channel(usize::try_from(COMMITS).unwrap());
    let (mark, newest) = watch::channel(None);
    let mut feed = Feed::new(CommitFeed { commits, newest });
    let writer = std::thread::spawn(move || {
        for number in 1..=COMMITS {
            let id = DeliveryId::new(number);
            sender.try_send(Committed { first: id, last: id, deliveries: Vec::new() }).unwrap();
            mark.send_replace(Some(id));
        }
    });
    let mut arrived = 0;
    while arrived < COMMITS {
        match feed.try_next() {
            Some(Arrival::Fresh(_)) => arrived += 1,
            Some(Arrival::Gap) => panic!("a gap after {arrived} commits, up to {:?}", feed.newest()),
            None => std::thread::yield_now(),
        }
    }
    writer.join().unwrap();
}

#[test]
fn what_is_left_out_is_a_gap() {
    let (sender, commits) = mpsc::channel(1);
    let (mark, newest) = watch::channel(None);
    let mut feed = Feed::new(CommitFeed { commits, newest });
    for number in 1..=3 {
        let id = DeliveryId::new(number);
        drop(sender.try_send(Committed { first: id, last: id, deliveries: Vec::new() }));
        mark.send_replace(Some(id));
    }
    assert!(matches!(feed.try_next(), Some(Arrival::Fresh(_))));
    assert!(matches!(feed.try_next(), Some(Arrival::Gap)));
    feed.saw(feed.newest());
    assert!(feed.try_next().is_none());
}

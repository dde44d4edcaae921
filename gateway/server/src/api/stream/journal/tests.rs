use super::*;

#[test]
fn whoever_wants_to_follow_is_told_whether_the_gateway_stops_or_has_a_fault() {
    let ended = |end: fn(&Journal)| {
        let journal = Journal::new(1, Bounds::default());
        assert_eq!(journal.ended(), None);
        end(&journal);
        assert!(journal.stopping().is_cancelled(), "readers leave");
        journal.ended()
    };
    let stops = |journal: &Journal| journal.stopping().cancel();
    assert_eq!(ended(stops), Some(FollowError::Stopping));
    assert_eq!(ended(Journal::is_left), Some(FollowError::Failed));
    assert_eq!(
        ended(|journal| {
            journal.stopping().cancel();
            journal.is_left();
        }),
        Some(FollowError::Stopping)
    );
    assert_eq!(
        ended(|journal| {
            journal.is_left();
            journal.stopping().cancel();
        }),
        Some(FollowError::Failed)
    );
}

use std::time::Duration;

use super::Backoff;

#[test]
fn waits_double_up_to_the_longest() {
    let waits: Vec<_> = (1..=11).map(|failures| Backoff::default().wait(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(Backoff::default().wait(u32::MAX), Duration::from_secs(300));
}

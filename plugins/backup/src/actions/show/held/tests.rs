use super::*;

#[tokio::test(start_paused = true)]
async fn one_body_is_held_until_nobody_asks_for_a_minute() {
    let held = Held::default();
    let (first, second) = (Bytes::from_static(b"1"), Bytes::from_static(b"2"));
    held.hold("a", &first);
    assert_eq!(held.get("a"), Some(first));
    held.hold("b", &second);
    assert_eq!(held.get("a"), None);

    sleep(PATIENCE / 2).await;
    held.hold("b", &second);
    sleep(PATIENCE - Duration::from_secs(1)).await;
    assert_eq!(held.get("b"), Some(second.clone()));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(held.get("b"), None);

    held.hold("b", &second);
    held.forget();
    assert_eq!(held.get("b"), None);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_long_is_not_held() {
    let held = Held::default();
    held.hold("a", &Bytes::from(vec![0; BYTES_MAX + 1]));
    assert_eq!(held.get("a"), None);
}

use crate::fake::Fake;

#[tokio::test]
async fn figures_are_whole_numbers_under_their_names() {
    let stats = Fake::default().get_json("/api/v1/stats").await;
    assert_eq!(stats["events"]["last_hour"], 240);
    assert_eq!(stats["events"]["since_start"][0]["kind"], "monitor_run");
    assert_eq!(stats["deliveries"]["destinations"][0]["since_start"][0]["state"], "delivered");
    assert_eq!(stats["deliveries"]["oldest_waiting_at"], "2026-09-22T14:12:20.125Z");
}

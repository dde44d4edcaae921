use serde_json::json;

use crate::fake::{Fake, OPERATOR_KEY};

#[tokio::test]
async fn the_filter_of_a_group_is_what_a_replay_takes() {
    let fake = Fake::default();
    let list = fake.get_json("/api/v1/dead-letters").await;
    let group = &list["items"][0];
    assert_eq!((&group["code"], &group["count"]), (&"http_400".into(), &3.into()));
    let replay = json!({"filter": group["filter"], "dry_run": true}).to_string();
    let response = fake.post(OPERATOR_KEY, "/api/v1/replays", replay.leak()).await;
    response.assert_status_is_ok();
    assert!(fake.filters()[0].contains("state: Some(Dead), destination: Some(\"itoc360\")"));
}

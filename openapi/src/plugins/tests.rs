use poem::http::StatusCode;

use crate::fake::Fake;

#[tokio::test]
async fn plugins_are_listed_with_what_was_refused_and_found_by_id() {
    let fake = Fake::default();
    let list = fake.get_json("/api/v1/plugins").await;
    assert_eq!(list["items"][0]["used_by"], serde_json::json!(["itoc360"]));
    assert_eq!(list["items"][0]["actions"][0]["name"], "restore");
    assert_eq!(list["rejected"][0]["reason"], "is for another machine");
    assert_eq!(fake.get_json("/api/v1/plugins/itoc360").await, list["items"][0]);
    fake.get("/api/v1/plugins/none").await.assert_status(StatusCode::NOT_FOUND);
    let response = fake.client().get("/api/v1/plugins").send().await;
    response.assert_status(StatusCode::UNAUTHORIZED);
}

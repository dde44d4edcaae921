use poem::http::StatusCode;

use crate::fake::Fake;

#[tokio::test]
async fn destinations_are_listed_and_found_by_name() {
    let fake = Fake::default();
    let listed = fake.get_json("/api/v1/destinations").await["items"][0].clone();
    assert_eq!(listed, fake.get_json("/api/v1/destinations/itoc360").await);
    assert_eq!(listed["state"], "ready");
    fake.get("/api/v1/destinations/none").await.assert_status(StatusCode::NOT_FOUND);
}

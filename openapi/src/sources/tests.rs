use poem::http::StatusCode;

use crate::fake::Fake;

#[tokio::test]
async fn a_source_says_where_to_send_to_and_no_token() {
    let fake = Fake::default();
    let source = fake.get_json("/api/v1/sources/acme").await;
    assert_eq!(source["url"], "https://hooks.example.com/hooks/acme");
    assert_eq!(source["tokens"], 1);
    assert_eq!(fake.get_json("/api/v1/sources").await["items"][0], source);
    fake.get("/api/v1/sources/nobody").await.assert_status(StatusCode::NOT_FOUND);
}

use poem::{http::header, test::TestResponse};

use super::{PAGE, START};
use crate::{document, fake::Fake};

async fn get(path: &str) -> TestResponse {
    let response = Fake::default().client().get(path).send().await;
    response.assert_status_is_ok();
    response
}

#[tokio::test]
async fn the_document_is_served_as_it_is_committed() {
    let response = get("/openapi.json").await;
    response.assert_content_type("application/json");
    response.assert_text(document::text()).await;
}

#[tokio::test]
async fn every_file_of_the_page_is_served_from_here() {
    for name in ["swagger-ui.css", "swagger-ui.js", "start.js"] {
        assert!(PAGE.contains(&format!("\"docs/{name}\"")), "the page does not use {name}");
        get(&format!("/docs/{name}")).await;
    }
    assert!(START.contains("url: \"openapi.json\""));
}

#[test]
fn the_page_names_no_other_place() {
    for file in [PAGE, START] {
        assert!(
            !file.contains("//") || file.lines().all(|line| !line.contains("//") || line.starts_with("// "))
        );
        assert!(!file.contains("http:") && !file.contains("https:"));
    }
    assert!(START.contains("validatorUrl: null"));
}

#[tokio::test]
async fn the_policy_lets_nothing_in_from_elsewhere() {
    let policy = get("/docs").await.0.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for source in policy.split(';').flat_map(|directive| directive.split_ascii_whitespace().skip(1)) {
        assert!(["'none'", "'self'", "data:"].contains(&source), "{source}");
    }
}

#[tokio::test]
async fn swagger_ui_is_taken_out_of_its_page_whole() {
    let script = get("/docs/swagger-ui.js").await.0.into_body().into_string().await.unwrap();
    let style = get("/docs/swagger-ui.css").await.0.into_body().into_string().await.unwrap();
    assert!(script.contains("SwaggerUIBundle") && script.len() > 1_000_000);
    assert!(style.contains(".swagger-ui") && style.len() > 100_000);
}

#[tokio::test]
async fn a_slash_too_many_leads_to_the_page() {
    let response = Fake::default().client().get("/docs/").send().await;
    response.assert_header(header::LOCATION, "../docs");
}

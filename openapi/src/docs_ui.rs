//! The documentation for people: `/openapi.json`, and Swagger UI at `/docs`. Nothing comes from elsewhere.

use std::sync::LazyLock;

use bytes::Bytes;
use poem::{
    Endpoint, Request, Response, Route,
    endpoint::make_sync,
    get,
    http::{Method, header},
    web::Redirect,
};
use poem_openapi::OpenApiService;

use crate::{document, operations::Operations};

const PAGE: &str = include_str!("docs_ui/page.html");
const START: &str = include_str!("docs_ui/start.js");

/// Only files of ours run and are asked for. `data:` is for the icons inside the style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The operation that gives the document.
pub(crate) const DOCUMENT: &str = "getDocument";

/// The pages about the API.
pub(crate) struct DocsUi(Route);

impl DocsUi {
    pub(crate) fn new() -> Self {
        let document = Bytes::from(document::text());
        Self(
            Route::new()
                .at("/openapi.json", file("application/json", "no-cache", move || document.clone()))
                .at(
                    "/docs",
                    file("text/html; charset=utf-8", "no-cache", || Bytes::from_static(PAGE.as_bytes())),
                )
                .at("/docs/", get(make_sync(|_| Redirect::see_other("../docs"))))
                .at("/docs/start.js", file(JAVASCRIPT, "no-cache", || Bytes::from_static(START.as_bytes())))
                .at("/docs/swagger-ui.js", file(JAVASCRIPT, AN_HOUR, || SWAGGER_UI.script.clone()))
                .at(
                    "/docs/swagger-ui.css",
                    file("text/css; charset=utf-8", AN_HOUR, || SWAGGER_UI.style.clone()),
                ),
        )
    }

    /// Whether a path is one of these pages or would be.
    pub(crate) fn owns(path: &str) -> bool {
        path == "/openapi.json" || path == "/docs" || path.starts_with("/docs/")
    }

    pub(crate) fn add_operations(operations: Operations) -> Operations {
        operations
            .with(DOCUMENT, Method::GET, "/openapi.json")
            .with("getDocsPage", Method::GET, "/docs")
            .with("getDocsPage", Method::GET, "/docs/")
            .with("getDocsFile", Method::GET, "/docs/{file}")
    }

    pub(crate) async fn call(&self, request: Request) -> poem::Result<Response> {
        self.0.call(request).await
    }
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const AN_HOUR: &str = "public, max-age=3600";

fn file(
    content_type: &'static str,
    cache_control: &'static str,
    bytes: impl Fn() -> Bytes + Send + Sync + 'static,
) -> poem::RouteMethod {
    get(make_sync(move |_| {
        Response::builder()
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CACHE_CONTROL, cache_control)
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .header(header::REFERRER_POLICY, "no-referrer")
            .body(bytes())
    }))
}

/// Swagger UI as two files.
struct SwaggerUi {
    script: Bytes,
    style: Bytes,
}

/// poem-openapi brings Swagger UI only as one page with everything inline, which would need a policy that allows inline
/// scripts. So the page is made once, when somebody first asks, and taken apart.
static SWAGGER_UI: LazyLock<SwaggerUi> = LazyLock::new(|| {
    let page = Bytes::from(OpenApiService::new((), "", "").swagger_ui_html());
    SwaggerUi {
        script: between(&page, "<script charset=\"UTF-8\">", "</script>"),
        style: between(&page, "<style charset=\"UTF-8\">", "</style>"),
    }
});

fn between(page: &Bytes, start: &str, end: &str) -> Bytes {
    let text = std::str::from_utf8(page).expect("the page was made of a String");
    let from = text.find(start).expect("the version is pinned, and a test looks") + start.len();
    let length = text[from..].find(end).expect("the version is pinned, and a test looks");
    page.slice(from..from + length)
}

#[cfg(test)]
mod tests;

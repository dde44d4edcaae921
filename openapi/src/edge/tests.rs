use std::{
    io,
    sync::{Arc, Mutex},
};

use poem::http::header;

use crate::{
    fake::{API_KEY, Fake, PANIC, TOKEN},
    port::NO_OPERATION,
};

#[tokio::test]
async fn every_answer_has_an_id_and_safe_headers() {
    let client = Fake::default().client();
    for path in ["/health/live", "/nowhere", "/api/v1/events", "/openapi.json", "/docs", "/docs/nothing"] {
        let response = client.get(path).send().await;
        response.assert_header_exist("x-request-id");
        response.assert_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        response.assert_header_exist(header::CONTENT_SECURITY_POLICY);
        response.assert_header_exist(header::CACHE_CONTROL);
    }
    client.get("/health/live").send().await.assert_header(header::CACHE_CONTROL, "no-store");
}

#[tokio::test]
async fn every_request_is_counted_by_its_operation() {
    let fake = Fake::default();
    let client = fake.client();
    client.post(format!("/hooks/acme?token={TOKEN}")).send().await;
    client.post("/hooks/acme?token=wrong").send().await;
    client.get("/api/v1/events/1?token=x").send().await;
    client.head("/health/live").send().await;
    client.get("/docs/start.js").send().await;
    client.get("/wp-admin.php").send().await;
    client.delete("/health/live").send().await;
    let panics = client.get(format!("/api/v1/events/{PANIC}"));
    panics.header(header::AUTHORIZATION, format!("Bearer {API_KEY}")).send().await;
    assert_eq!(
        fake.seen(),
        [
            ("receiveHook", 202),
            ("receiveHook", 401),
            ("getEvent", 401),
            ("getLiveness", 200),
            ("getDocsFile", 200),
            (NO_OPERATION, 404),
            (NO_OPERATION, 405),
            ("getEvent", 500),
        ]
    );
}

/// Everything that was logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_a_caller_sent_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For all threads: one that logs to nowhere could otherwise have the events switched off for everybody.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let client = Fake::default().client();
    for url in
        ["/hooks/acme?token=planted", "/hooks/planted", "/planted?token=planted", "/api/v1/events/planted"]
    {
        client.post(url).header(header::AUTHORIZATION, "Bearer planted").body("planted").send().await;
        client.get(url).header(header::AUTHORIZATION, "Bearer planted").send().await;
    }
    let broken = client.post(format!("/hooks/acme?token={TOKEN}&label.=planted")).body("planted");
    broken.header(header::CONTENT_ENCODING, "gzip").send().await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("request answered"), "{text}");
    assert!(!text.contains("planted") && !text.contains(TOKEN), "{text}");
}

use super::*;

const TERMS: Terms =
    Terms { service: "S3", credentials: "s3.access_key_id", place: "s3.bucket", place_is: "the bucket" };
const NOW: u64 = 1_795_289_807_042;

#[track_caller]
fn check(status: u16, headers: &[(&str, &str)], body: &str, expected: Option<&str>) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    let secrets = [Secret::new("hunter2")];
    let seen =
        failure(&TERMS, status, &map, body.as_bytes(), NOW, &secrets).map(|error| format!("{error:?}"));
    match expected {
        Some(expected) => assert!(seen.as_ref().is_some_and(|seen| seen.contains(expected)), "{seen:?}"),
        None => assert_eq!(seen, None),
    }
    assert!(!seen.unwrap_or_default().contains("hunter2"));
}

#[test]
fn what_depends_on_the_question_is_left_to_the_caller() {
    for status in [200, 201, 204, 304, 308, 404, 405, 409, 412, 416] {
        check(status, &[], "", None);
    }
}

#[test]
fn the_words_of_the_services_are_known() {
    let s3 = |code: &str| format!("<Error><Code>{code}</Code><Message>hunter2 is\n wrong</Message></Error>");
    check(403, &[], &s3("InvalidAccessKeyId"), Some("Denied"));
    check(403, &[], &s3("SignatureDoesNotMatch"), Some("answered 403: SignatureDoesNotMatch: *** is wrong"));
    check(400, &[], &s3("ExpiredToken"), Some("Denied"));
    check(404, &[], &s3("NoSuchBucket"), Some("NotFound { setting: \"s3.bucket\""));
    check(503, &[], &s3("SlowDown"), Some("Busy"));
    check(403, &[], &s3("QuotaExceeded"), Some("Full"));
    check(403, &[], &s3("RequestTimeTooSkewed"), Some("the clock of this machine"));
    check(409, &[], r#"{"error_summary":"path/insufficient_space/.."}"#, Some("Full"));
    check(404, &[("x-ms-error-code", "ContainerNotFound")], "", Some("ContainerNotFound"));
    check(
        400,
        &[],
        r#"{"error":"invalid_grant","error_description":"expired"}"#,
        Some("invalid_grant: expired"),
    );
    check(401, &[], "", Some("Denied { setting: \"s3.access_key_id\", why: \"S3 answered 401\" }"));
    check(418, &[], "I am a teapot", Some("http_418"));
    check(502, &[], "<html>nginx</html>", Some("\"S3 answered 502\""));
}

#[test]
fn an_address_that_has_moved_is_named_without_its_secrets() {
    let headers = [("location", "https://new.example:8443/login?token=hunter2")];
    check(302, &headers, "", Some("sends on to https://new.example:8443, and"));
    check(301, &[], "", Some("Misconfigured { setting: \"s3.bucket\""));
}

#[test]
fn the_region_of_a_bucket_is_named() {
    let headers = [("x-amz-bucket-region", "eu-west-1")];
    check(301, &headers, "", Some("the region \\\"eu-west-1\\\""));
    check(
        400,
        &[],
        "<Error><Code>AuthorizationHeaderMalformed</Code></Error>",
        Some("setting: \"s3.region\""),
    );
}

#[test]
fn a_pause_is_in_seconds_or_until_a_date() {
    check(429, &[("retry-after", "17")], "", Some("RateLimited { after: 17s"));
    let date = DateTime::from_timestamp_millis(NOW as i64 + 60_958).unwrap().to_rfc2822();
    check(503, &[("retry-after", &date)], "", Some("Busy { after: Some(60"));
    check(429, &[], "", Some("Busy { after: None"));
    assert_eq!(retry_after("Sat, 21 Nov 2020 07:28:00 GMT", NOW), Some(Duration::ZERO));
    assert_eq!(retry_after("soon", NOW), None);
}

#[test]
fn a_long_answer_is_cut() {
    let error =
        failure(&TERMS, StatusCode::BAD_REQUEST, &HeaderMap::new(), "x".repeat(5000).as_bytes(), NOW, &[]);
    assert!(error.unwrap().to_string().len() < 300);
}

use poem::http::HeaderValue;

use super::*;

#[track_caller]
fn check(authorization: &[&str], expected: Result<Option<&str>, Unclear>) {
    let mut headers = HeaderMap::new();
    for value in authorization {
        headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    let presented = Presented::of(&headers).map(|presented| presented.key);
    let shown = presented.as_ref().map(|key| key.as_ref().map(Credential::expose));
    assert_eq!(shown.map_err(|_| Unclear), expected, "{authorization:?}");
}

#[test]
fn one_key_is_presented_at_most() {
    check(&[], Ok(None));
    check(&["Bearer good"], Ok(Some("good")));
    check(&["bearer good"], Ok(Some("good")));
    check(&["Bearer good", "Bearer good"], Err(Unclear));
    check(&["Bearer good", "Basic Z29vZA=="], Err(Unclear));
}

#[test]
fn what_is_no_key_is_not_passed_over() {
    for other in ["", "good", "Basic Z29vZA==", "Digest username=\"me\""] {
        check(&[other], Err(Unclear));
    }
}

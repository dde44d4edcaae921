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

#[track_caller]
fn check_session(cookies: &[&str], expected: Result<Option<&str>, Unclear>) {
    let mut headers = HeaderMap::new();
    for value in cookies {
        headers.append(header::COOKIE, HeaderValue::from_str(value).unwrap());
    }
    let presented = Presented::of(&headers).map(|presented| presented.session);
    let shown = presented.as_ref().map(|session| session.as_ref().map(Credential::expose));
    assert_eq!(shown.map_err(|_| Unclear), expected, "{cookies:?}");
}

#[test]
fn a_session_is_found_among_the_cookies_of_others() {
    check_session(&["theme=dark"], Ok(None));
    check_session(&["postroom_session=abc"], Ok(Some("abc")));
    check_session(&["theme=dark; postroom_session=abc;x=y", "z=1"], Ok(Some("abc")));
    check_session(&["postroom_session=", "postroom_sessions=b"], Ok(Some("")));
    check_session(&["postroom_session"], Ok(None));
}

#[test]
fn of_two_sessions_nobody_can_tell_which_one_counts() {
    check_session(&["postroom_session=abc; postroom_session=abc"], Err(Unclear));
    check_session(&["postroom_session=abc", "postroom_session=def"], Err(Unclear));
}

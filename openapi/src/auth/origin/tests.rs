use poem::http::Method;

use super::*;

#[track_caller]
fn check_that(method: Method, headers: &[(&'static str, &'static str)], is_taken: bool) {
    let mut request = Request::builder().method(method).uri_str("/api/v1/replays");
    for (name, value) in [("host", "hooks.example.com:8080")].iter().chain(headers) {
        request = request.header(*name, *value);
    }
    assert_eq!(check(&request.finish()).is_ok(), is_taken, "{headers:?}");
}

#[test]
fn a_page_of_the_gateways_own_may_change_something() {
    check_that(Method::POST, &[("sec-fetch-site", "same-origin")], true);
    check_that(Method::POST, &[("origin", "http://hooks.example.com:8080")], true);
    check_that(Method::DELETE, &[("origin", "https://HOOKS.example.com:8080")], true);
}

#[test]
fn a_page_of_somebody_elses_may_not() {
    for site in ["cross-site", "same-site", "none", ""] {
        check_that(
            Method::POST,
            &[("sec-fetch-site", site), ("origin", "http://hooks.example.com:8080")],
            false,
        );
    }
    for origin in
        ["http://evil.example.com", "http://hooks.example.com", "null", "", "hooks.example.com:8080"]
    {
        check_that(Method::POST, &[("origin", origin)], false);
    }
    let own = ("origin", "http://hooks.example.com:8080");
    check_that(Method::POST, &[own, own], false);
}

#[test]
fn a_browser_that_does_not_say_may_only_look() {
    check_that(Method::POST, &[], false);
    check_that(Method::DELETE, &[], false);
    check_that(Method::GET, &[], true);
    check_that(Method::GET, &[("sec-fetch-site", "cross-site")], true);
}

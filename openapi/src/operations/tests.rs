use poem::http::Method;
use poem_openapi::registry::Registry;

use super::Operations;

fn operations() -> Operations {
    Operations::of(Vec::new(), &Registry::new())
        .with("list", Method::GET, "/things")
        .with("create", Method::POST, "/things")
        .with("get", Method::GET, "/things/{id}")
        .with("part", Method::GET, "/things/{id}/part")
        .with("count", Method::POST, "/things/count")
}

#[track_caller]
fn check(method: Method, path: &str, found: Option<&str>, allow: Option<&str>) {
    assert_eq!(operations().find(&method, path), found, "{method} {path}");
    assert_eq!(operations().allow(path).as_deref(), allow, "{path}");
}

#[test]
fn an_operation_is_found_by_method_and_path() {
    check(Method::GET, "/things", Some("list"), Some("GET, HEAD, POST"));
    check(Method::POST, "/things", Some("create"), Some("GET, HEAD, POST"));
    check(Method::HEAD, "/things/1", Some("get"), Some("GET, HEAD"));
    check(Method::GET, "/things/1/part", Some("part"), Some("GET, HEAD"));
    check(Method::PUT, "/things", None, Some("GET, HEAD, POST"));
}

#[test]
fn a_path_that_is_spelled_out_wins_over_a_name() {
    check(Method::POST, "/things/count", Some("count"), Some("POST"));
    check(Method::GET, "/things/count", None, Some("POST"));
}

#[test]
fn other_paths_have_none() {
    for path in ["/", "", "/thing", "/things/", "/things/1/", "/things/1/other", "/things/1/part/2", "things"]
    {
        check(Method::GET, path, None, None);
    }
}

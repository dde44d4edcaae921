use poem::http::{HeaderMap, HeaderValue};

use super::{HEADER, RequestId};

fn of(given: &[u8]) -> String {
    let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_bytes(given).unwrap())]);
    RequestId::of(&headers).as_str().to_owned()
}

#[test]
fn a_harmless_id_of_a_proxy_is_kept() {
    for given in ["a", "0192f0c1-2b7e-7c3a-9d52-6a1f6b0c9a11", "A.b_c-9", &"x".repeat(64)] {
        assert_eq!(of(given.as_bytes()), given);
    }
}

#[test]
fn any_other_is_replaced() {
    for given in [&b""[..], b"two words", b"quote\"", b"\xff\xfe", &[b'x'; 65]] {
        let id = of(given);
        assert_ne!(id.as_bytes(), given);
        assert!(id.len() > 16, "{id}");
    }
}

#[test]
fn fresh_ids_differ() {
    let none = HeaderMap::new();
    assert_ne!(RequestId::of(&none).as_str(), RequestId::of(&none).as_str());
}

use super::*;

#[test]
fn ordinary_headers_may_be_set() {
    for name in ["Authorization", "X-Api-Key", "content-type", "Idempotency-Key", "x_1.2", "Postroom"] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    for value in ["", "Bearer abc", "a\tb", "tökén"] {
        assert_eq!(check_value(value), Ok(()), "{value}");
    }
}

#[test]
fn headers_of_the_connection_may_not() {
    for name in OF_THE_CONNECTION.iter().copied().chain(["Host", "Content-Length", "TRANSFER-ENCODING"]) {
        assert_eq!(check_name(name), Err(HeaderError::OfTheConnection), "{name}");
    }
}

#[test]
fn headers_of_the_gateway_may_not() {
    for name in ["Postroom-Event-Id", "postroom-anything"] {
        assert_eq!(check_name(name), Err(HeaderError::Own), "{name}");
    }
}

#[test]
fn what_is_no_header_may_not() {
    for name in ["", "a b", "a:b", "a\r\nb", "ö", "(a)"] {
        assert_eq!(check_name(name), Err(HeaderError::BadName), "{name:?}");
    }
    for value in ["a\r\nX-Injected: b", "a\n", "a\0", "\u{7f}"] {
        assert_eq!(check_value(value), Err(HeaderError::BadValue), "{value:?}");
    }
}

use super::{Answer, find};

#[track_caller]
fn check(text: &str, expected: Option<(u16, &str)>) {
    let found = find(text.as_bytes()).unwrap();
    let found = found.map(|Answer { status, body, end }| (status, &text[body..end]));
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn an_answer_ends_where_its_header_says() {
    check("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}", Some((202, "{}")));
    check("HTTP/1.1 202 Accepted\r\nserver: x\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1", Some((202, "{}")));
    check("HTTP/1.0 204 No Content\r\n\r\n", Some((204, "")));
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        Some((200, "1\r\na\r\n0\r\n\r\n")),
    );
}

#[test]
fn the_rest_is_waited_for() {
    check("", None);
    check("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n", None);
    check("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{", None);
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", None);
}

#[test]
fn what_is_no_answer_is_an_error() {
    assert!(find(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
    assert!(find(b"HTTP/1.1 202 Accepted\r\ncontent-length: many\r\n\r\n").is_err());
}

use super::*;

#[test]
fn the_parts_are_told_apart() {
    let body = "--b\r\na: b\r\n\r\n{\"name\":\"x\"}\r\n--b\r\nc: d\r\n\r\n\r\n\r\ncontent \r\n\r\n--b--\r\n";
    let (metadata, content) = parts(&Bytes::from(body), "b").unwrap();
    assert_eq!(metadata, "{\"name\":\"x\"}");
    assert_eq!(content, "\r\n\r\ncontent \r\n");
    assert_eq!(parts(&Bytes::from_static(b"--b\r\n\r\nx"), "b"), None);
}

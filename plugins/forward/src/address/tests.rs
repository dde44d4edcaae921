use super::*;

#[test]
fn http_addresses_are_taken() {
    for url in [
        "https://example.com/hook?token=t",
        "http://127.0.0.1:8080",
        "HTTPS://user:pass@example.com/",
        "http://[::1]/",
    ] {
        assert!(Address::parse(url).is_ok(), "{url}");
    }
    assert_eq!(Address::parse(" https://example.com/a\n").unwrap().expose(), "https://example.com/a");
}

#[test]
fn others_are_refused() {
    for url in
        ["", "example.com", "ftp://example.com", "file:///etc/passwd", "https://", "/hook", "https://a b/"]
    {
        assert_eq!(Address::parse(url).err(), Some(NotHttp), "{url}");
    }
}

#[test]
fn nothing_shows_the_address() {
    let address = Address::parse("https://example.com/hooks/s3cret-token").unwrap();
    assert!(!format!("{address:?}").contains("example"));
}

#[test]
fn long_parts_may_be_secret() {
    let address =
        Address::parse("https://bob:passw0rd@chat.example.com/v1/hooks/T0123456789?key=abcdefgh&v=1")
            .unwrap();
    let traces = address.traces();
    let traces: Vec<_> = traces.iter().map(Secret::expose).collect();
    assert_eq!(traces, [address.expose(), "passw0rd", "chat.example.com", "T0123456789", "abcdefgh"]);
}

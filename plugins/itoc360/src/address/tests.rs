use super::*;

const ENDPOINT: &str = "https://api.itoc360.app/functions/v1/events";

#[track_caller]
fn check_base(base_url: &str, expected: Result<&str, AddressError>) {
    assert_eq!(endpoint(base_url).as_ref().map(Url::as_str), expected.as_ref().copied(), "{base_url}");
}

#[track_caller]
fn check_pasted(pasted: &str, expected: Result<(&str, &str), AddressError>) {
    let address = Address::new(&endpoint("https://api.itoc360.app").unwrap(), &Secret::new(pasted));
    let address = address.as_ref().map(|address| (address.endpoint.as_str(), address.token.expose()));
    assert_eq!(address, expected.as_ref().copied(), "{pasted}");
}

#[test]
fn a_base_url_leads_to_the_events_path() {
    check_base("https://api.itoc360.app", Ok(ENDPOINT));
    check_base("https://api.itoc360.app/", Ok(ENDPOINT));
    check_base("https://api.itoc360.app//", Ok(ENDPOINT));
    check_base("https://api.itoc360.app/functions/v1/events", Ok(ENDPOINT));
    check_base("http://127.0.0.1:8123/itoc", Ok("http://127.0.0.1:8123/itoc/functions/v1/events"));
}

#[test]
fn other_base_urls_are_refused() {
    for base_url in ["", "api.itoc360.app", "ftp://api.itoc360.app", "https://", "file:///etc/passwd"] {
        check_base(base_url, Err(AddressError::NotHttp));
    }
    for base_url in
        ["https://user@host", "https://:pw@host", "https://host?token=x", "https://host#x", "https://host?"]
    {
        check_base(base_url, Err(AddressError::NotBare));
    }
}

#[test]
fn a_token_goes_to_the_base_url() {
    check_pasted("abc-123.XYZ~", Ok((ENDPOINT, "abc-123.XYZ~")));
    check_pasted("  abc\n", Ok((ENDPOINT, "abc")));
    check_pasted("\n", Err(AddressError::NoToken));
    for token in ["a b", "a\nb", "tökén", "a\0b"] {
        check_pasted(token, Err(AddressError::BadToken));
    }
}

#[test]
fn a_pasted_webhook_url_brings_address_and_token() {
    check_pasted(&format!("{ENDPOINT}?token=abc"), Ok((ENDPOINT, "abc")));
    check_pasted(&format!("{ENDPOINT}?v=1&token=a%2Bb#x\n"), Ok((ENDPOINT, "a+b")));
    let own = "http://itoc.example:8080/base/functions/v1/events";
    check_pasted(&format!("{own}?token=abc"), Ok((own, "abc")));
}

#[test]
fn a_pasted_url_of_something_else_is_refused() {
    for pasted in [
        "https://",
        "https://api.itoc360.app/functions/v1/events",
        "https://api.itoc360.app/?token=abc",
        "https://user@api.itoc360.app/functions/v1/events?token=abc",
    ] {
        check_pasted(pasted, Err(AddressError::NotWebhookUrl));
    }
    check_pasted(&format!("{ENDPOINT}?token="), Err(AddressError::NoToken));
    check_pasted(&format!("{ENDPOINT}?token=a%20b"), Err(AddressError::BadToken));
}

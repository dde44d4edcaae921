use super::Client;
use crate::Error;

#[test]
fn the_key_is_never_shown() {
    let client = Client::new("https://gateway.example", "s3cret-key").unwrap();
    for text in [format!("{client:?}"), format!("{:?}", *client), format!("{:?}", client.list_events())] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    let error = Client::new("https://gateway.example", "s3cret\nkey").unwrap_err();
    assert!(matches!(error, Error::KeyUnfit));
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_slash_behind_the_server_is_none_too_many() {
    use progenitor_client::ClientInfo as _;
    for server in ["https://gateway.example/postroom", "https://gateway.example/postroom/"] {
        assert_eq!(Client::new(server, "key").unwrap().baseurl(), "https://gateway.example/postroom");
    }
}

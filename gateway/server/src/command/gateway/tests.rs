use std::{net::SocketAddr, path::Path};

use super::*;
use crate::config::Role;

fn flags(url: Option<&str>, key_file: Option<&Path>, config: &Path) -> GatewayFlags {
    GatewayFlags {
        url: url.map(str::to_owned),
        key_file: key_file.map(Path::to_owned),
        key: None,
        file: ConfigFile { config: config.to_owned() },
    }
}

#[test]
fn a_gateway_that_listens_everywhere_is_asked_on_this_machine() {
    let at = |listen: &str| listening(Some(listen.parse::<SocketAddr>().unwrap())).map(|url| url.to_string());
    assert_eq!(at("127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/");
    assert_eq!(at("0.0.0.0:80").unwrap(), "http://127.0.0.1/");
    assert_eq!(at("[::]:8080").unwrap(), "http://[::1]:8080/");
    assert_eq!(at("10.0.0.7:8080").unwrap(), "http://10.0.0.7:8080/");
    assert_eq!(at("127.0.0.1:0").unwrap_err().exit(), Exit::Config);
}

#[test]
fn only_http_addresses_are_taken() {
    for url in ["ftp://a", "a", "http://", "mailto:a@b", ""] {
        assert_eq!(parse(url).unwrap_err().exit(), Exit::Usage, "{url}");
    }
    assert!(parse("https://gateway.example/postroom").is_ok());
}

#[test]
fn the_key_that_allows_most_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postroom.toml");
    let keys = [("v", "viewer"), ("a", "admin"), ("b", "admin"), ("o", "operator")]
        .map(|(name, role)| {
            format!("[[api_key]]\nname = \"{name}\"\nrole = \"{role}\"\nkey = \"key-of-{name}\"\n")
        })
        .concat();
    fs::write(&file, keys).unwrap();
    let config = flags(None, None, &file).config().unwrap();
    assert_eq!(config.api_keys.iter().filter(|key| key.role == Role::Admin).count(), 2);
    assert_eq!(best_key(&config).unwrap().expose(), "key-of-a");
}

#[test]
fn without_a_configuration_address_and_key_must_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let (nothing, key) = (folder.path().join("postroom.toml"), folder.path().join("key"));
    fs::write(&key, "a-key\n").unwrap();
    let url = Some("http://127.0.0.1:1");
    assert!(flags(url, Some(&key), &nothing).api().is_ok());
    assert_eq!(flags(None, Some(&key), &nothing).api().err().unwrap().exit(), Exit::Config);
    assert_eq!(key_in(&key).unwrap().expose(), "a-key");
    let missing = flags(url, Some(&folder.path().join("none")), &nothing).api().err().unwrap();
    assert_eq!(missing.exit(), Exit::NotFound);
}

#[test]
fn the_gateway_and_the_key_can_be_given_in_the_command() {
    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        gateway: GatewayFlags,
    }
    let parse = |args: &[&str]| <Cli as clap::Parser>::try_parse_from(["postroom"].iter().chain(args));
    let cli = parse(&["--server", "http://127.0.0.1:1", "--key", "planted"]).unwrap();
    assert!(!format!("{cli:?}").contains("planted"), "{cli:?}");
    assert_eq!(cli.gateway.key.as_ref().unwrap().expose(), "planted");
    assert!(cli.gateway.api().is_ok());
    let both = parse(&["--key", "planted", "--key-file", "file"]).unwrap_err().to_string();
    assert!(!both.contains("planted"), "{both}");
}

use clap::Parser;
use postroom_core::time::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{command::Exit, commands::testing::gateway, output::Colour};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Runs a command against a gateway with this answer; gives how it ended, what went to standard output and standard error,
/// and what was asked.
fn ran(answer: (u16, Value), args: &[&str]) -> (Result<(), Failure>, [String; 2], Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-many-letters\n").unwrap();
    let (url, answering) = gateway(vec![answer]);
    let flags = ["--url", &url, "--key-file", key.to_str().unwrap()];
    let cli = Cli::try_parse_from(["keys"].iter().chain(args).chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    let ended = match &cli.command {
        Command::Create(args) => {
            create(args, &Clock::new(|| Timestamp::from_unix_ms(1_790_000_000_000)), &mut output)
        }
        Command::List(args) => {
            list(args, &Clock::new(|| Timestamp::from_unix_ms(1_795_500_000_000)), &mut output)
        }
        command => run(command, &mut output),
    };
    (ended, [data, talk].map(|text| String::from_utf8(text).unwrap()), answering.join().unwrap())
}

#[test]
fn a_key_that_was_made_stands_alone_on_standard_output() {
    let answer = json!({
        "key": "postroom_123", "name": "ci", "role": "operator", "expires_at": "2026-09-22T13:33:20.000Z",
    });
    let (ended, [data, talk], asked) =
        ran((200, answer), &["create", "ci", "--role", "operator", "--expires-in", "1d"]);
    ended.unwrap();
    assert_eq!(data, "postroom_123\n");
    assert_eq!(talk, "This is the key of ci, operator until 2026-09-22T13:33:20Z. It is shown this once.\n");
    let body = r#"{"name":"ci","role":"operator","expires_at":"2026-09-22T14:13:20.000Z"}"#;
    assert_eq!(asked, [format!("POST /api/v1/keys {body}")]);
}

#[test]
fn keys_are_a_table() {
    let answer = json!({ "items": [
        { "name": "me", "role": "admin", "origin": "configuration", "last_used_at": "2026-11-22T08:00:01.125Z" },
        {
            "name": "ci", "role": "operator", "origin": "store", "created_at": "2026-11-22T07:00:01.125Z",
            "created_by": "me", "expires_at": "2027-11-22T07:00:01.125Z",
        },
        { "name": "old", "role": "viewer", "origin": "configuration", "expires_at": "2026-11-22T07:00:01.125Z" },
    ]});
    let (ended, [data, _], asked) = ran((200, answer), &["list"]);
    ended.unwrap();
    assert_eq!(asked, ["GET /api/v1/keys"]);
    insta::assert_snapshot!(data, @"
    NAME  ROLE      FROM           LAST USED             EXPIRES                        MADE
    me    admin     configuration  2026-11-22T08:00:01Z  -                              -
    ci    operator  store          -                     2027-11-22T07:00:01Z           2026-11-22T07:00:01Z by me
    old   viewer    configuration  -                     2026-11-22T07:00:01Z, expired  -
    ");
}

#[test]
fn where_a_name_is_taken_there_is_a_way_on() {
    let taken = json!({ "code": "conflict", "detail": "there is a key called \"ci\"" });
    let (ended, ..) = ran((409, taken), &["create", "ci", "--role", "viewer"]);
    let failure = ended.unwrap_err();
    assert_eq!(failure.exit(), Exit::Failed);
    assert!(format!("{failure:?}").contains("`postroom keys revoke`"), "{failure:?}");
}

#[test]
fn a_key_is_revoked_by_its_name() {
    let (ended, [data, _], asked) = ran((200, json!({ "name": "ci" })), &["revoke", "ci"]);
    ended.unwrap();
    assert_eq!((data.as_str(), &asked[..]), ("revoked ci\n", &["DELETE /api/v1/keys/ci".to_owned()][..]));
    let none = json!({ "code": "not_found", "detail": "no such API key" });
    let (ended, ..) = ran((404, none), &["revoke", "nobody"]);
    assert_eq!(ended.unwrap_err().exit(), Exit::NotFound);
}

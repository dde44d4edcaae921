use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::{
    command::Exit,
    commands::testing::gateway,
    output::{Colour, Progress},
};

mod files;
mod postman;
mod removal;

const SHOP: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const FIRST: &str = "2026-11-20T08-00-00.000Z-0011aabbccdd";
const SECOND: &str = "2026-11-21T19-36-47.042Z-2233aabbccdd";

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// How a command ended, what it printed as data and as talk, and what was asked of the gateway.
struct Ran {
    ended: Result<(), Failure>,
    data: String,
    talk: String,
    asked: Vec<String>,
}

impl Ran {
    #[track_caller]
    fn data(self) -> String {
        self.ended.unwrap();
        self.data
    }

    #[track_caller]
    fn exit(self) -> Exit {
        self.ended.unwrap_err().exit()
    }
}

/// Runs a command against a gateway with these answers.
fn ran(answers: Vec<(u16, Value)>, args: &[&str]) -> Ran {
    answered(answers, args, None)
}

/// As [`ran`], with somebody at a terminal who answers this.
fn answered(answers: Vec<(u16, Value)>, args: &[&str], answer: Option<&str>) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-many-letters\n").unwrap();
    let (url, answering) = gateway(answers);
    let flags = ["--url", &url, "--key-file", key.to_str().unwrap()];
    let cli = Cli::try_parse_from(["backup"].iter().chain(args).chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut person = answer.unwrap_or_default().as_bytes();
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    if answer.is_some() {
        output = output.telling(Progress::on_terminal(80)).asking(&mut person);
    }
    let ended = run(&cli.command, &mut output);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { ended, data: text(data), talk: text(talk), asked: answering.join().unwrap() }
}

/// The destinations of a gateway with these plugins, each named as its place in the list.
fn destinations(plugins: &[&str]) -> (u16, Value) {
    let items = plugins.iter().enumerate();
    let items: Vec<_> =
        items.map(|(n, plugin)| json!({ "name": format!("d{n}"), "plugin": plugin })).collect();
    (200, json!({ "items": items }))
}

fn done(output: Value) -> (u16, Value) {
    (200, json!({ "output": output }))
}

fn not_there() -> (u16, Value) {
    (404, json!({ "code": "not_found", "detail": "the plugin does not find it: the collection is not here" }))
}

fn version(id: &str, changes: Option<&str>, before: Option<&str>) -> Value {
    let (time, hash) = id.rsplit_once('-').unwrap();
    let time: String = time.char_indices().map(|(at, c)| if at > 10 && c == '-' { ':' } else { c }).collect();
    json!({
        "id": id, "received_at": time, "seen": 2, "seen_at": "2026-11-22T07:00:00.000Z", "name": "Shop\u{1b}[2J",
        "format": "v2.1", "counts": { "folders": 0, "requests": 12, "examples": 1, "scripts": 2, "variables": 0 },
        "bytes": 1_500_000, "stored_bytes": 98_304, "sha256": format!("{hash}{}", "0".repeat(52)), "canonical": "ab",
        "event_id": "0192f0c1", "before": before, "changes": changes, "secrets": [], "redacted": false,
        "file": "collections/c3ec8bf7/objects/2233.zst",
    })
}

fn first() -> Value {
    let mut first = version(FIRST, None, None);
    first["seen"] = json!(0);
    first
}

fn second() -> Value {
    let mut second = version(SECOND, Some("2 requests added"), Some(FIRST));
    second["secrets"] = json!([{ "rule": "aws_access_key", "place": "variable key" }]);
    second
}

fn versions_of(versions: &[Value], total: usize) -> (u16, Value) {
    done(json!({ "collection": SHOP, "versions": versions, "total": total }))
}

/// What finds a collection by its id.
fn found() -> (u16, Value) {
    versions_of(&[second()], 2)
}

fn collections(names: &[(&str, &str)]) -> (u16, Value) {
    let collection = |(key, name): &(&str, &str)| {
        let mut newest = second();
        newest["name"] = json!(name);
        json!({ "collection": key, "versions": 2, "stored_bytes": 2048, "newest": newest })
    };
    let collections: Vec<_> = names.iter().map(collection).collect();
    done(json!({ "collections": collections, "storage": "the folder /backups" }))
}

/// Checks a request: an action of the destination `d` with this input.
#[track_caller]
fn check_act(asked: &str, action: &str, input: &Value) {
    let (path, body) = asked.split_once(" {").unwrap();
    let path = path.strip_prefix("POST /api/v1/destinations/d/actions/").unwrap();
    assert_eq!(path.split_once('?').unwrap().0, action);
    assert_eq!(serde_json::from_str::<Value>(&format!("{{{body}")).unwrap(), *input);
}

/// Every command with what it needs at least.
fn each_command() -> [Vec<&'static str>; 7] {
    [
        vec!["collections"],
        vec!["versions", SHOP],
        vec!["show", SHOP],
        vec!["diff", SHOP],
        vec!["verify"],
        vec!["prune", "--yes"],
        vec!["restore", SHOP],
    ]
}

#[test]
fn the_only_destination_with_the_plugin_is_meant() {
    let ran = ran(vec![destinations(&["forward", "backup"]), collections(&[])], &["collections"]);
    ran.ended.unwrap();
    assert_eq!(ran.asked[1], "POST /api/v1/destinations/d1/actions/collections?timeout=300 {}");
    assert_eq!((ran.data.as_str(), ran.talk.as_str()), ("", "there is no backup yet\n"));
}

#[test]
fn several_destinations_are_named_and_none_is_guessed() {
    for args in each_command() {
        let several = ran(vec![destinations(&["backup", "forward", "backup"])], &args);
        let failure = several.ended.unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage, "{args:?}");
        let said = format!("{failure:?}");
        assert!(said.contains("d0") && said.contains("d2") && !said.contains("d1"), "{said}");
        assert_eq!(ran(vec![destinations(&["forward"])], &args).exit(), Exit::NotFound, "{args:?}");
    }
}

#[test]
fn the_destination_that_is_named_is_asked() {
    for args in each_command() {
        let args = [&args[..], &["--destination", "a/b"]].concat();
        let refused = ran(vec![(403, json!({ "code": "forbidden", "detail": "no" }))], &args);
        assert!(
            refused.asked[0].starts_with("POST /api/v1/destinations/a%2Fb/actions/"),
            "{:?}",
            refused.asked
        );
        assert_eq!(refused.exit(), Exit::Refused, "{args:?}");
    }
}

/// Runs a command at the destination `d`.
fn at_d(answers: Vec<(u16, Value)>, args: &[&str]) -> Ran {
    ran(answers, &[args, &["--destination", "d"]].concat())
}

#[test]
fn collections_are_a_table() {
    let list = || collections(&[(SHOP, "Shop"), ("unknown~0011", "Orders")]);
    insta::assert_snapshot!(at_d(vec![list()], &["collections"]).data(), @r#"
NAME    VERSIONS  NEWEST                LAST BACKUP           STORED   ID
Shop    2         2026-11-21T19:36:47Z  2026-11-22T07:00:00Z  2.0 KiB  c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6
Orders  2         2026-11-21T19:36:47Z  2026-11-22T07:00:00Z  2.0 KiB  unknown~0011
"#);
    let json = at_d(vec![list()], &["collections", "--json"]).data();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), list().1["output"]);
}

#[test]
fn many_collections_come_in_pages() {
    let page = |key: &str, received: &str, next: Option<&str>| {
        let (status, mut answer) = collections(&[(key, key)]);
        answer["output"]["collections"][0]["newest"]["received_at"] = json!(received);
        if let Some(next) = next {
            answer["output"]["next"] = json!(next);
        }
        (status, answer)
    };
    let early = page("a", "2026-11-20T08:00:00.000Z", Some("a"));
    let late = page("b", "2026-11-22T08:00:00.000Z", None);
    let listed = at_d(vec![early, late], &["collections", "--json"]);
    check_act(&listed.asked[0], "collections", &json!({}));
    check_act(&listed.asked[1], "collections", &json!({ "after": "a" }));
    let answer: Value = serde_json::from_str(&listed.data()).unwrap();
    let keys: Vec<_> = answer["collections"].as_array().unwrap().iter().map(|it| &it["collection"]).collect();
    assert_eq!(keys, ["b", "a"]);
    assert!(answer.get("next").is_none());
}

#[test]
fn versions_are_a_table_with_what_each_changed() {
    let mut redacted = first();
    redacted["secrets"] = second()["secrets"].clone();
    redacted["redacted"] = json!(true);
    let answers = vec![found(), versions_of(&[second(), first(), redacted], 3)];
    insta::assert_snapshot!(at_d(answers, &["versions", SHOP]).data(), @r#"
RECEIVED              SIZE     CHANGES                            VERSION
2026-11-21T19:36:47Z  1.5 MiB  2 requests added; 1 secret         2026-11-21T19-36-47.042Z-2233aabbccdd
2026-11-20T08:00:00Z  1.5 MiB  first version                      2026-11-20T08-00-00.000Z-0011aabbccdd
2026-11-20T08:00:00Z  1.5 MiB  first version; 1 secret taken out  2026-11-20T08-00-00.000Z-0011aabbccdd
"#);
    let few = at_d(vec![found(), versions_of(&[second()], 3)], &["versions", SHOP, "--limit", "1"]);
    assert_eq!(few.talk, "there are 3 versions: see --limit\n");
    let json = at_d(vec![found(), versions_of(&[second()], 1)], &["versions", SHOP, "--json"]).data();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json, json!({ "collection": SHOP, "versions": [second()], "total": 1 }));
}

#[test]
fn long_histories_come_in_pages() {
    let page: Vec<_> = (0..500).map(|_| second()).collect();
    let answers = vec![found(), versions_of(&page, 501), versions_of(&[first()], 501)];
    let long = at_d(answers, &["versions", SHOP, "--limit", "600"]);
    check_act(&long.asked[1], "versions", &json!({ "collection": SHOP, "limit": 500 }));
    let rest = json!({ "collection": SHOP, "limit": 100, "older_than": SECOND });
    check_act(&long.asked[2], "versions", &rest);
    assert_eq!(long.data().lines().count(), 502);
}

#[test]
fn a_version_is_shown_with_all_there_is_to_say() {
    let answers = vec![found(), versions_of(&[second()], 2)];
    insta::assert_snapshot!(at_d(answers, &["show", SHOP]).data(), @r#"
name        Shop [2J
collection  c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6
version     2026-11-21T19-36-47.042Z-2233aabbccdd
received    2026-11-21T19:36:47Z
seen        2 times more, at last at 2026-11-22T07:00:00Z
size        1.5 MiB, 96.0 KiB stored
format      v2.1
content     12 requests, 1 example, 2 scripts
before      2026-11-20T08-00-00.000Z-0011aabbccdd
changes     2 requests added; 1 secret
sha256      2233aabbccdd0000000000000000000000000000000000000000000000000000
event       0192f0c1
file        collections/c3ec8bf7/objects/2233.zst
secret      aws_access_key: variable key
"#);
    let whole = json!({ "collection": SHOP, "version": first(), "body": "{}" });
    let answers = vec![found(), versions_of(&[second(), first()], 2), done(whole.clone())];
    let json = at_d(answers, &["show", SHOP, "--version", FIRST, "--json"]);
    check_act(&json.asked[2], "show", &json!({ "collection": SHOP, "version": FIRST }));
    assert_eq!(serde_json::from_str::<Value>(&json.data()).unwrap(), whole);
}

#[test]
fn a_collection_is_found_by_a_part_of_its_name_that_no_other_has() {
    let names = [(SHOP, "Checkout API"), ("77aa-1", "Checkout"), ("88bb-2", "Login of checkout")];
    let check = |wanted: &str, key: Option<&str>| {
        let mut answers = vec![not_there(), collections(&names)];
        answers.extend(key.map(|_| versions_of(&[second()], 1)));
        let ran = at_d(answers, &["versions", wanted]);
        match key {
            Some(key) => {
                assert!(
                    ran.asked[2].contains(&format!("\"collection\":\"{key}\"")),
                    "{wanted}: {:?}",
                    ran.asked
                );
                ran.ended.unwrap();
            }
            None => {
                let failure = ran.ended.unwrap_err();
                assert_eq!(failure.exit(), Exit::NotFound, "{wanted}");
                let said = format!("{failure:?}");
                assert!(said.contains("77aa-1  Checkout") != said.contains("no backup of"), "{said}");
            }
        }
    };
    check(" checkout ", Some("77aa-1"));
    check("CHECKOUT A", Some(SHOP));
    check("login", Some("88bb-2"));
    check("of check", Some("88bb-2"));
    check("88bb", Some("88bb-2"));
    check("check", None);
    check("payments", None);
    assert_eq!(at_d(vec![], &["versions", " "]).exit(), Exit::Usage);
}

#[test]
fn a_version_is_found_by_the_beginning_of_its_id_time_or_hash() {
    let check = |wanted: &str, id: Result<&str, &str>| {
        let mut answers = vec![found(), versions_of(&[second(), first()], 2)];
        answers.extend(id.is_ok().then(|| done(json!({}))));
        let ran = at_d(answers, &["show", SHOP, "--json", "--version", wanted]);
        match id {
            Ok(id) => assert!(ran.asked[2].contains(id), "{wanted}: {:?}", ran.asked),
            Err(said) => {
                let failure = ran.ended.unwrap_err();
                assert_eq!(failure.exit(), Exit::NotFound, "{wanted}");
                assert!(format!("{failure:?}").contains(said), "{wanted}: {failure:?}");
            }
        }
    };
    check(FIRST, Ok(FIRST));
    check("2026-11-21", Ok(SECOND));
    check("2026-11-20T08:00", Ok(FIRST));
    check("0011aabb", Ok(FIRST));
    check("2026-11", Err("can mean several versions"));
    check("001", Err("has no version"));
    check("2025", Err("has no version"));
    check("", Err("has no version"));
}

#[test]
fn a_difference_is_text_markdown_or_json() {
    let answer = json!({
        "collection": SHOP, "before": first(), "after": second(), "summary": "1 request added",
        "changes": [{ "how": "added" }], "changes_left_out": 0,
        "text": "+ request Pay\u{1b}[2J\n    url: a → b\n", "markdown": "- **added** request Pay\n",
    });
    let answers = || vec![found(), done(answer.clone())];
    let text = at_d(answers(), &["diff", SHOP]);
    assert_eq!(
        text.asked[1],
        format!("POST /api/v1/destinations/d/actions/diff?timeout=3600 {{\"collection\":\"{SHOP}\"}}")
    );
    assert_eq!(text.data(), "+ request Pay [2J\n    url: a → b\n");
    assert_eq!(at_d(answers(), &["diff", SHOP, "--format", "markdown"]).data(), "- **added** request Pay\n");
    for json in [&["diff", SHOP, "--json"][..], &["diff", SHOP, "--format", "json"]] {
        assert_eq!(serde_json::from_str::<Value>(&at_d(answers(), json).data()).unwrap(), answer);
    }

    let list = || versions_of(&[second(), first()], 2);
    let mut cut = answer.clone();
    cut["changes_left_out"] = json!(7);
    let both = at_d(vec![found(), list(), list(), done(cut)], &["diff", SHOP, "0011aa", "2026-11-21"]);
    let input = json!({ "after": SECOND, "before": FIRST, "collection": SHOP });
    check_act(&both.asked[3], "diff", &input);
    assert_eq!(both.talk, "7 changes did not fit into the answer: compare the files\n");

    let mut same = answer.clone();
    (same["changes"], same["text"]) = (json!([]), json!(""));
    assert_eq!(at_d(vec![found(), done(same)], &["diff", SHOP]).data(), "no changes\n");
}

#[test]
fn an_answer_of_another_shape_is_not_understood() {
    for args in each_command() {
        // What finds the collection is understood.
        let answers = match args.as_slice() {
            ["versions" | "show" | "diff" | "restore", ..] => vec![found(), done(json!({ "x": 1 }))],
            _ => vec![done(json!({ "x": 1 }))],
        };
        let answers = match args[0] {
            "restore" => vec![found(), versions_of(&[second()], 2), done(json!({ "x": 1 }))],
            _ => answers,
        };
        let ran = at_d(answers, &args);
        let failure = ran.ended.unwrap_err();
        assert_eq!(failure.exit(), Exit::Failed, "{args:?}");
        assert!(format!("{failure:?}").contains("not understood"), "{args:?}: {failure:?}");
    }
}

#[test]
fn sizes_are_readable() {
    let check = |bytes: u64, shown: &str| assert_eq!(shown::size_of(bytes), shown);
    check(0, "0 B");
    check(1023, "1023 B");
    check(1024, "1.0 KiB");
    check(1025, "1.1 KiB");
    check(1_048_575, "1.0 MiB");
    check(5 << 30, "5.0 GiB");
    check(u64::MAX, "16777216.0 TiB");
}

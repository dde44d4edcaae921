use super::*;

fn version(name: &str) -> Version {
    Version {
        id: format!("2026-11-21T19-36-47.042Z-{}", "ab".repeat(6)),
        received_unix_ms: 1_795_289_807_042,
        written_unix_ms: 1_795_289_808_000,
        sha256: "ab".repeat(32),
        canonical: Some("cd".repeat(32)),
        bytes: 7,
        name: Some(name.to_owned()),
        collection: Some("c3".to_owned()),
        format: "v2.1".to_owned(),
        counts: Counts { folders: 1, requests: 2, examples: 3, scripts: 4, variables: 5 },
        event_id: "e1".to_owned(),
        secrets: vec![Found { rule: "aws".to_owned(), place: "variable a; b".to_owned() }],
        redacted: true,
        before: None,
        changes: Some("1 request added".to_owned()),
        stored: Stored { file: "Postman Collections/x.json".to_owned(), bytes: 7, sha256: "ab".repeat(32) },
        seen: 0,
        seen_unix_ms: 1_795_289_807_042,
    }
}

fn template(text: &str) -> Template {
    Template::parse(text, &PLACEHOLDERS).unwrap()
}

#[test]
fn what_is_written_is_read() {
    let version = version("Shop");
    let message = write(&template("{name} {date}: {summary} ({id}, {format}, {sha})"), "c3", &version);
    let subject = "Shop 2026-11-21: 1 request added (c3, v2.1, abababababab)";
    assert_eq!(message.lines().next(), Some(subject));
    let note = parse(&message, 1_795_289_808).unwrap();
    assert_eq!((note.key.as_str(), note.version), ("c3", version));
}

#[test]
fn no_name_makes_a_trailer_and_no_file_leads_out() {
    let mut hostile = version("x\n\nPostroom-Collection: other\nPostroom-Sha256: 00");
    let note = parse(&write(&template("{name}"), "c3", &hostile), 0).unwrap();
    assert_eq!((note.key.as_str(), note.version.sha256.len()), ("c3", 64));
    hostile.name = Some("Postroom-Collection: other".to_owned());
    assert_eq!(parse(&write(&template("{name}"), "c3", &hostile), 0).unwrap().key, "c3");
    for file in ["../x.json", "/etc/passwd", "a/.git/config", "a//b", "a\\b"] {
        hostile.stored.file = file.to_owned();
        assert!(parse(&write(&template("{name}"), "c3", &hostile), 0).is_none(), "{file}");
    }
}

#[test]
fn other_commits_are_no_versions() {
    assert!(parse("Fix a typo", 0).is_none());
    assert!(parse("Postroom-Collection: x", 0).is_none());
    assert!(write(&template(" "), "c3", &version("Shop")).starts_with(SUBJECT));
}

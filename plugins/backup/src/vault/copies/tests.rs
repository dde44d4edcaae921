use super::*;
use crate::vault::{Counts, Stored};

fn version(name: Option<&str>, id: Option<&str>) -> Version {
    Version {
        id: "2026-11-21T19-36-47.042Z-0123456789ab".to_owned(),
        received_unix_ms: 1_795_289_807_042,
        written_unix_ms: 0,
        sha256: "0123456789abcdef".repeat(4),
        canonical: None,
        bytes: 2,
        name: name.map(str::to_owned),
        collection: id.map(str::to_owned),
        format: "v2.0".to_owned(),
        counts: Counts::default(),
        event_id: String::new(),
        secrets: Vec::new(),
        redacted: false,
        before: None,
        changes: None,
        stored: Stored { file: String::new(), bytes: 0, sha256: String::new() },
        seen: 0,
        seen_unix_ms: 0,
    }
}

#[track_caller]
fn check(template: &str, version: &Version, expected: &str) {
    assert_eq!(Template::parse(template).unwrap().unwrap().path(version), expected);
}

#[test]
fn placeholders_are_filled_in() {
    let shop = version(Some("Shop"), Some("7"));
    check("latest/{name}-{id}.json", &shop, "latest/Shop-7.json");
    check("{id}/{time}-{sha}.json", &shop, "7/2026-11-21T19-36-47.042Z-0123456789ab.json");
    check("{date}/{format} {id}", &shop, "2026-11-21/v2.0 7");
    check("{name}-{id}", &version(None, None), "unnamed-unknown");
}

#[test]
fn what_strangers_write_stays_one_visible_part() {
    check("latest/{name}-{id}.json", &version(Some("../../etc/x"), Some("../..")), &{
        let id = folder_id(Some("../.."));
        format!("latest/_.._etc_x-{id}.json")
    });
    check("{name}/{id}", &version(Some("..."), Some("7")), "unnamed/7");
}

#[test]
fn templates_that_harm_are_refused() {
    let refused = |template: &str| Template::parse(template).unwrap_err();
    for outside in ["/x/{id}", "../{id}", "a//{id}", "a/./{id}", "{id}/", ".hidden/{id}", "a\\{id}"] {
        assert_eq!(refused(outside), TemplateError::Outside, "{outside}");
    }
    assert_eq!(refused("{name"), TemplateError::Open);
    assert_eq!(refused("{Name}-{id}"), TemplateError::Placeholder("Name".to_owned()));
    assert_eq!(refused("latest/{name}.json"), TemplateError::Ambiguous);
    assert_eq!(refused("collections/{id}.json"), TemplateError::Taken("collections"));
}

#[test]
fn a_copy_for_each_version_replaces_none() {
    let replaces = |template: &str| Template::parse(template).unwrap().unwrap().replaces();
    assert!(replaces("{name}-{id}") && !replaces("{id}-{time}") && !replaces("{sha}"));
}

//! The checks with plugins that are known to be good, and with those that break one rule.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use postroom_core::{event::Kind, id::DestinationName};
use serde_json::{Value, json};

use super::*;
use crate::{
    inspect::inspect,
    sandbox::Sandbox,
    supervisor::Backoff,
    testing::{Compiled, PLUGIN, compile, delivery, program},
};

const HELLO: &str = include_str!("../../../../sdk/c/examples/hello.c");

const UNRULY: &str = include_str!("tests/unruly.c");

/// Checks a plugin with a sample of each kind; `bodies` replaces some of their bodies.
async fn findings(
    plugin: &Compiled,
    mode: &str,
    bodies: &[(Kind, &'static str)],
) -> BTreeMap<&'static str, Finding> {
    let sample = |kind: Kind| {
        let body = bodies.iter().find(|(of, _)| *of == kind).map_or("{}", |(_, body)| body);
        let mut event = postroom_core::event::Event::clone(&delivery(body).event);
        event.kind = kind;
        event.verdict = None;
        Sample { event: Arc::new(event), body: Bytes::from_static(body.as_bytes()) }
    };
    let subject = Subject {
        instance: InstanceConfig {
            destination: DestinationName::new("test"),
            plugin: inspect(&plugin.path).unwrap(),
            config: json!({ "mode": mode }),
            secrets: BTreeMap::new(),
            state: None,
            emit: None,
            metrics: None,
            program: program(),
            sandbox: Sandbox::default(),
            concurrency: 8,
            drain: std::time::Duration::from_secs(60),
            backoff: Backoff::default(),
        },
        samples: Kind::ALL.map(sample).to_vec(),
    };
    let mut findings = BTreeMap::new();
    conformance(&subject, |finding| drop(findings.insert(finding.check, finding))).await;
    assert_eq!(findings.len(), Check::ALL.len(), "every check has a name of its own");
    findings
}

/// The names of the checks that do not hold.
fn broken(findings: &BTreeMap<&'static str, Finding>) -> Vec<&'static str> {
    findings.values().filter(|finding| !finding.holds).map(|finding| finding.check).collect()
}

#[tokio::test]
async fn the_example_in_c_keeps_every_rule() {
    let findings = findings(&compile(HELLO, &["-shared", "-fPIC"]), "", &[]).await;
    assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
}

#[tokio::test]
async fn a_crash_is_one_failed_check() {
    let findings = findings(&PLUGIN, "", &[(Kind::Activity, "abort")]).await;
    assert_eq!(broken(&findings), ["delivers activity"], "{findings:#?}");
    assert!(findings["delivers activity"].reason.contains("signal 6"), "{findings:#?}");
}

#[tokio::test]
async fn a_plugin_that_refuses_its_settings_is_checked_no_further() {
    let findings = findings(&PLUGIN, "refuse-create", &[]).await;
    let needing = Check::ALL.iter().filter(|check| check.needs_start()).count();
    assert_eq!(broken(&findings).len(), needing + 1, "{findings:#?}");
    assert!(findings["starts"].reason.contains("root not there"), "{findings:#?}");
    assert!(findings["config full of nonsense"].holds, "{findings:#?}");
}

/// The checks that do not hold for a plugin that breaks one rule.
async fn broken_by(rule: &str) -> Vec<&'static str> {
    let broken = all_broken_by(rule, &[]).await;
    assert_eq!(broken.len(), 1, "{broken:?}");
    broken
}

async fn all_broken_by(rule: &str, bodies: &[(Kind, &'static str)]) -> Vec<&'static str> {
    let plugin = compile(UNRULY, &["-shared", "-fPIC", "-pthread", rule]);
    let findings = findings(&plugin, "", bodies).await;
    broken(&findings)
}

#[tokio::test]
async fn descriptors_that_are_never_closed_are_seen() {
    assert_eq!(broken_by("-DON_DELIVER=dup(0)").await, ["no growth after many deliveries"]);
}

#[tokio::test]
async fn memory_that_is_never_freed_is_seen() {
    let rule = "-DON_DELIVER=char *leak = malloc(2048); memset(leak, 7, 2048)";
    assert_eq!(broken_by(rule).await, ["no growth after many deliveries"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_to_be_tried_again() {
    let rule = "-DON_DELIVER=if (body.len && body.ptr[0] != '{') done.kind = POSTROOM_OUT_RETRY";
    assert_eq!(broken_by(rule).await, ["body that is not JSON"]);
}

#[tokio::test]
async fn an_empty_body_is_no_reason_to_crash() {
    assert_eq!(broken_by("-DON_DELIVER=if (body.len == 0) abort()").await, ["empty body"]);
}

#[tokio::test]
async fn settings_that_are_no_object_are_no_reason_to_crash() {
    let rule = "-DON_CREATE=if (config.ptr[0] != '{') abort()";
    assert_eq!(broken_by(rule).await, ["config of another type"]);
}

#[tokio::test]
async fn wrong_settings_are_refused_and_not_tried_again() {
    let rule = "-DON_CREATE=if (config.ptr[0] != '{') return POSTROOM_E_INTERNAL";
    assert_eq!(broken_by(rule).await, ["config of another type"]);
}

#[tokio::test]
async fn a_delivery_that_ends_twice_is_seen() {
    let rule = "-DON_DELIVER=host->complete(host->ctx, token, &done)";
    assert_eq!(broken_by(rule).await, ["every delivery ends once"]);
}

#[tokio::test]
async fn a_deliver_that_takes_its_time_is_seen() {
    let rule = "-DON_DELIVER=if (body.len > 2 && body.ptr[2] == 's') usleep(60000)";
    let broken = all_broken_by(rule, &[(Kind::Activity, r#"{"slow": 1}"#)]).await;
    assert_eq!(broken, ["deliver comes back at once"]);
}

#[tokio::test]
async fn a_thread_that_outlives_destroy_is_seen() {
    let broken = all_broken_by("-DON_CREATE=start_outliving_thread()", &[]).await;
    assert_eq!(broken, ["destroy with deliveries in flight", "drain and destroy"]);
}

#[tokio::test]
async fn a_health_that_does_not_answer_is_seen() {
    assert_eq!(broken_by("-DON_HEALTH=sleep(5)").await, ["health answers"]);
}

#[tokio::test]
async fn a_kind_to_come_is_no_reason_to_crash() {
    let rule = "-DON_DELIVER=if (kind.len == 12 && !memcmp(kind.ptr, \"kind.to_come\", 12)) abort()";
    assert_eq!(broken_by(rule).await, ["event of a kind to come"]);
}

#[tokio::test]
async fn a_description_that_differs_from_the_file_is_seen() {
    let said = r#""{\"id\":\"unruly\",\"version\":\"1.0.1\",\"abi\":\"1.0\"}""#;
    assert_eq!(broken_by(&format!("-DDESCRIPTION={said}")).await, ["describes itself as its file does"]);
}

/// Has the manifest say more.
fn manifest_with(members: &str) -> String {
    format!("-DMORE=\",{}\"", members.replace('"', "\\\""))
}

const ACTION: &str = r#""actions":[{"name":"list"}]"#;

#[tokio::test]
async fn actions_that_only_the_manifest_knows_are_seen() {
    let plugin = compile(UNRULY, &["-shared", "-fPIC", "-pthread", &manifest_with(ACTION)]);
    let findings = findings(&plugin, "", &[]).await;
    assert_eq!(broken(&findings), ["describes itself as its file does"], "{findings:#?}");
    let reason = &findings["describes itself as its file does"].reason;
    assert!(reason.starts_with("the manifest lists the action \"list\""), "{reason}");
}

#[tokio::test]
async fn actions_that_only_the_library_knows_are_seen() {
    assert_eq!(broken_by("-DWITH_ACTIONS").await, ["describes itself as its file does"]);
}

#[tokio::test]
async fn actions_that_both_know_are_good() {
    let plugin = compile(UNRULY, &["-shared", "-fPIC", "-pthread", "-DWITH_ACTIONS", &manifest_with(ACTION)]);
    let findings = findings(&plugin, "", &[]).await;
    assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
    let reason = &findings["describes itself as its file does"].reason;
    assert_eq!(reason, "id, version, ABI and actions agree");
}

#[test]
fn schemas_that_are_none_are_seen() {
    let of_action = |key: &str, schema: Value| json!({ "actions": [{ "name": "list", key: schema }] });
    for (more, expected) in [
        (json!({}), Ok("it has none")),
        (json!({ "config_schema": { "type": "object" } }), Ok("1 schema")),
        (
            json!({ "config_schema": { "properties": { "url": { "type": "text" } } } }),
            Err("config_schema is no JSON Schema: /properties/url/type: expected"),
        ),
        (
            of_action("input_schema", json!({ "required": "version" })),
            Err("input_schema of the action \"list\" is no JSON Schema: /required: expected a list"),
        ),
        (
            of_action("output_schema", json!({ "type": "string" })),
            Err("output_schema of the action \"list\" takes no object"),
        ),
    ] {
        let mut manifest =
            json!({ "manifest": 1, "id": "x", "name": "X", "version": "1", "abi": "1.1", "kinds": ["*"] });
        manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = files::schemas(&crate::manifest::Manifest::parse(&manifest.to_string()).unwrap());
        match (said, expected) {
            (Ok(said), Ok(expected)) => assert_eq!(said, expected),
            (Err(broken), Err(expected)) => {
                let reason = broken.into_reason();
                assert!(reason.starts_with(expected), "{reason}");
            }
            (said, _) => panic!("{said:?} of {manifest}"),
        }
    }
}

#[tokio::test]
async fn a_schema_that_is_none_is_one_failed_check() {
    let rule = manifest_with(r#""config_schema":{"type":"camel"}"#);
    assert_eq!(broken_by(&rule).await, ["schemas are JSON Schema"]);
}

#[tokio::test]
async fn good_events_that_do_not_get_through_are_pointed_out() {
    let rule = "-DON_DELIVER=done.kind = POSTROOM_OUT_MISCONFIGURED";
    let findings = findings(&compile(UNRULY, &["-shared", "-fPIC", "-pthread", rule]), "", &[]).await;
    assert_eq!(broken(&findings), Vec::<&str>::new(), "{findings:#?}");
    let doubtful: Vec<_> = findings.values().filter(|finding| finding.doubtful).collect();
    assert_eq!(doubtful.len(), Kind::ALL.len(), "{findings:#?}");
    assert!(doubtful[0].reason.starts_with("none got through: misconfigured"), "{findings:#?}");
}

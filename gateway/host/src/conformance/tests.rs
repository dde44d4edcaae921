//! The checks with plugins that are known to be good, and with those that break one rule.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use postroom_core::{event::Kind, id::DestinationName};
use serde_json::json;

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
            program: program(),
            sandbox: Sandbox::default(),
            concurrency: 8,
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
    let plugin = compile(UNRULY, &["-shared", "-fPIC", rule]);
    let findings = findings(&plugin, "", &[]).await;
    let broken = broken(&findings);
    assert_eq!(broken.len(), 1, "{findings:#?}");
    broken
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

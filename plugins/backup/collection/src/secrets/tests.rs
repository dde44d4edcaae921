use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::{Confidence, Finding, REDACTED, redact, secrets, tokens::FAMILIES};
use crate::{
    scan,
    testing::{collections, corpus},
};

/// Tokens of no service: made so that their form fits. Put together here, so that nobody takes this file for a leak.
fn tokens() -> Vec<(&'static str, String)> {
    let letters = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY";
    let hex = "0123456789abcdef0123456789abcdef";
    let jwt = format!("eyJ{letters}.eyJ{letters}.{letters}");
    vec![
        ("aws-access-key", format!("AKIA{}", "Q2W4E6R8T0Y1U3I5")),
        ("github-token", format!("ghp_{letters}abcd")),
        ("github-token", format!("github_pat_{letters}_{letters}")),
        ("gitlab-token", format!("glpat-{}", &letters[..20])),
        ("google-api-key", format!("AIza{letters}abc")),
        ("postman-key", format!("PMAK-{}-{hex}ab", &hex[..24])),
        ("slack-token", format!("xoxb-123456789012-{letters}")),
        ("slack-webhook", format!("hooks.slack.com/services/T00000000/B00000000/{}", &letters[..24])),
        ("stripe-key", format!("sk_live_{}", &letters[..24])),
        ("sendgrid-key", format!("SG.{}.{letters}{}", &letters[..22], &letters[..11])),
        ("npm-token", format!("npm_{letters}abcd")),
        ("jwt", jwt),
        ("private-key", format!("-----BEGIN RSA PRIVATE KEY-----\n{letters}\n{letters}=")),
    ]
}

fn found(value: &Value) -> Vec<Finding> {
    secrets(value.to_string().as_bytes())
}

#[track_caller]
fn check(value: &Value, expected: &[(&str, &str, &str, Confidence)]) {
    let found = found(value);
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding.rule, &*finding.path, &*finding.place, finding.confidence))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn tokens_are_found_wherever_they_are() {
    for (rule, token) in tokens() {
        for text in [
            token.clone(),
            format!("a = \"{token}\""),
            format!("x\n{token}"),
            format!("(é{token})"),
            json!(format!("x\n{token}")).to_string(),
        ] {
            let value = json!({ "item": [{ "name": "a", "request": { "body": { "raw": text } } }] });
            check(&value, &[(rule, "/item/0/request/body/raw", "request a › body", Confidence::High)]);
            let (redacted, _) = redact(value.to_string().as_bytes());
            let redacted: Value = serde_json::from_slice(&redacted).unwrap();
            let left = redacted.pointer("/item/0/request/body/raw").unwrap().as_str().unwrap();
            let written = json!(token).to_string();
            let expected = text.replace(&token, REDACTED).replace(written.trim_matches('"'), REDACTED);
            assert_eq!(left, expected);
        }
        let text = format!("no JSON {token}");
        assert_eq!(secrets(text.as_bytes()).len(), 1, "{rule}");
        assert!(redact(text.as_bytes()).0.starts_with(b"no JSON [redacted]"));
    }
}

#[test]
fn what_only_looks_like_one_is_none() {
    let examples = [
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA",
        "notAKIAQ2W4E6R8T0Y1U3I5",
        "AKIAQ2W4E6R8T0Y1U3I5A",
        "eyJhbGciOiJIUzI1NiJ9",
        "if (key.includes('-----BEGIN PRIVATE KEY-----')) return;",
        "https://example.com:8080/path@2",
        "https://{{user}}:{{password}}@example.com",
        "sk_live_{{key}}",
        "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6",
        "the token is in the header",
    ];
    for text in examples {
        check(&json!({ "info": { "description": text }, "item": [{ "name": text, "request": text }] }), &[]);
    }
}

#[test]
fn places_are_said_for_people() {
    let token = &tokens()[1].1;
    let value = json!({
        "info": { "description": token },
        "item": [{ "name": "Orders", "item": [{
            "name": "Login",
            "event": [{ "listen": "test", "script": { "exec": ["", format!("f('{token}')")] } }],
            "request": {
                "header": [{ "key": "X-Any", "value": token }],
                "url": { "raw": format!("https://shop:hunter2@example.com?k={token}"), "query": [{ "key": "k", "value": token }] },
                "body": { "urlencoded": [{ "key": "f", "value": token }] }
            },
            "response": [{ "name": "Fine", "body": token }]
        }] }],
        "variable": [{ "key": "k/1", "value": token }]
    });
    let rule = "github-token";
    let high = Confidence::High;
    check(
        &value,
        &[
            (rule, "/info/description", "description", high),
            (
                rule,
                "/item/0/item/0/event/0/script/exec/1",
                "folder Orders › request Login › script test",
                high,
            ),
            (
                rule,
                "/item/0/item/0/request/header/0/value",
                "folder Orders › request Login › header X-Any",
                high,
            ),
            (
                "url-password",
                "/item/0/item/0/request/url/raw",
                "folder Orders › request Login › address",
                high,
            ),
            (rule, "/item/0/item/0/request/url/raw", "folder Orders › request Login › address", high),
            (
                rule,
                "/item/0/item/0/request/url/query/0/value",
                "folder Orders › request Login › address › field k",
                high,
            ),
            (
                rule,
                "/item/0/item/0/request/body/urlencoded/0/value",
                "folder Orders › request Login › body › field f",
                high,
            ),
            (
                rule,
                "/item/0/item/0/response/0/body",
                "folder Orders › request Login › example Fine › body",
                high,
            ),
            (rule, "/variable/0/value", "variable k/1", high),
        ],
    );
}

#[test]
fn authorization_and_variables_are_judged_by_name_and_look() {
    let random = "q8Zt3Lw0Vb7Xn5Rk2Jd9";
    let list = |parameters: Value| json!({ "auth": { "type": "t", "t": parameters } });
    let medium = Confidence::Medium;
    check(
        &list(json!({ "password": "abc", "username": "shop", "clientId": random, "code": random })),
        &[
            ("auth-secret", "/auth/t/password", "authorization › password", medium),
            ("high-entropy", "/auth/t/code", "authorization › code", medium),
        ],
    );
    check(
        &list(json!([
            { "key": "token", "value": random, "type": "string" },
            { "key": "key", "value": "X-Auth", "type": "string" },
            { "key": "value", "value": "{{token}}", "type": "string" },
            { "key": "password", "value": "", "type": "string" },
        ])),
        &[("auth-secret", "/auth/t/0/value", "authorization › token", Confidence::High)],
    );
    check(
        &json!({ "variable": [
            { "key": "client_secret", "value": "abcd" },
            { "key": "API Token", "value": random },
            { "key": "hidden", "value": "x", "type": "secret" },
            { "id": "session", "value": random },
            { "key": "token_url", "value": "https://example.com/token" },
            { "key": "token_type", "value": "Bearer" },
            { "key": "use_token", "value": "true" },
            { "key": "password", "value": "{{vault:password}}" },
            { "key": "page", "value": "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6" },
            { "key": "secret", "value": 7 },
        ] }),
        &[
            ("variable-secret", "/variable/0/value", "variable client_secret", medium),
            ("variable-secret", "/variable/1/value", "variable API Token", Confidence::High),
            ("variable-secret", "/variable/2/value", "variable hidden", medium),
            ("high-entropy", "/variable/3/value", "variable session", medium),
        ],
    );
    let header = |value: &str| json!({ "item": [{ "name": "a", "request": { "header": [{ "key": "authorization", "value": value }] } }] });
    let expected =
        ("header-secret", "/item/0/request/header/0/value", "request a › header authorization", medium);
    check(&header("Basic c2hvcDpodW50ZXIy"), &[expected]);
    check(&header("Bearer {{token}}"), &[]);
    let old = json!({ "requests": [{ "name": "a", "headers": "Accept: a\nAuthorization:  Basic c2hvcDpodW50ZXIy\nX: 1" }] });
    check(&old, &[("header-secret", "/requests/0/headers", "request a", medium)]);
    let (redacted, _) = redact(old.to_string().as_bytes());
    let expected =
        r#"{"requests":[{"name":"a","headers":"Accept: a\nAuthorization:  Basic [redacted]\nX: 1"}]}"#;
    assert_eq!(String::from_utf8(redacted).unwrap(), expected);
    let (redacted, _) = redact(header("Basic c2hvcDpodW50ZXIy").to_string().as_bytes());
    assert!(String::from_utf8(redacted).unwrap().contains("\"Basic [redacted]\""));
}

#[test]
fn a_private_key_in_the_lines_of_a_script_is_taken_out_whole() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    let value = json!({ "event": [{ "listen": "prerequest", "script": { "exec": [
        "const key = `-----BEGIN PRIVATE KEY-----", line, format!("    \"{line}\\n\" +"), "Zm9vYg==",
        "-----END PRIVATE KEY-----`;", "return", line
    ] } }] });
    let (redacted, findings) = redact(value.to_string().as_bytes());
    assert_eq!(findings.len(), 3, "{findings:?}");
    let redacted: Value = serde_json::from_slice(&redacted).unwrap();
    let expected = json!([
        "const key = `-----BEGIN PRIVATE KEY-----",
        REDACTED,
        "    \"[redacted]\\n\" +",
        REDACTED,
        "-----END PRIVATE KEY-----`;",
        "return",
        line
    ]);
    assert_eq!(redacted["event"][0]["script"]["exec"], expected);
}

#[test]
fn a_place_never_has_a_secret_in_it() {
    for (_, token) in tokens() {
        let token = token.replace('\n', "");
        let value = json!({ "item": [{ "name": format!("call {token}"), "request": { "url": token } }] });
        for finding in found(&value) {
            assert!(!finding.place.contains(&token), "{finding:?}");
        }
    }
}

#[test]
fn many_secrets_are_all_replaced_and_not_all_told() {
    let token = &tokens()[1].1;
    let value = json!({ "variable": vec![json!({ "key": "a", "value": token }); 3000] });
    let (redacted, findings) = redact(value.to_string().as_bytes());
    assert_eq!(findings.len(), 1000);
    let redacted = String::from_utf8(redacted).unwrap();
    assert_eq!(redacted.matches(REDACTED).count(), 3000);
    assert!(!redacted.contains(token.as_str()));
}

#[test]
fn a_text_that_begins_tokens_again_and_again_takes_no_time() {
    for part in ["eyJ-", "eyJ.", "sk-ant-", "-----BEGIN PRIVATE KEY-----", "://a:", "glpat-"] {
        let text = format!("{{\"a\":\"{}\"}}", part.repeat(300_000));
        assert!(redact(text.as_bytes()).0.len() <= text.len());
    }
}

/// Of real collections everything stays but what was found, and then nothing is found any more.
#[test]
fn real_collections_are_left_without_secrets() {
    for (name, bytes) in corpus() {
        let (redacted, findings) = redact(&bytes);
        assert_eq!(secrets(&redacted), [], "{name}");
        assert_eq!(redacted == bytes, findings.is_empty(), "{name}");
        assert_eq!(scan(&redacted).unwrap().summary, scan(&bytes).unwrap().summary, "{name}");
    }
}

proptest! {
    #[test]
    fn nothing_is_left_of_what_was_put_anywhere(
        collection in collections(),
        texts in vec((any::<proptest::sample::Index>(), 0..13_usize), 1..5),
    ) {
        let tokens = tokens();
        let mut value = collection;
        for (at, token) in texts {
            let mut leaves = Vec::new();
            strings(&mut value, &mut leaves);
            if !leaves.is_empty() {
                let at = at.index(leaves.len());
                *leaves[at] = format!("a {} b", tokens[token].1);
            }
        }
        let bytes = value.to_string().into_bytes();
        let (redacted, findings) = redact(&bytes);
        let text = String::from_utf8(redacted).unwrap();
        for (_, token) in &tokens {
            let token = serde_json::to_string(token).unwrap();
            prop_assert!(!text.contains(token.trim_matches('"')));
            prop_assert!(findings.iter().all(|finding| !finding.place.contains(token.trim_matches('"'))));
        }
        prop_assert_eq!(secrets(text.as_bytes()), []);
        for finding in &findings {
            prop_assert!(value.pointer(&finding.path).is_some_and(Value::is_string));
        }
    }
}

fn strings<'a>(value: &'a mut Value, found: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(list) => list.iter_mut().for_each(|value| strings(value, found)),
        Value::Object(object) => object.values_mut().for_each(|value| strings(value, found)),
        _ => {}
    }
}

#[test]
fn every_rule_is_in_the_documents() {
    let document = include_str!("../../../../../docs/backups.md");
    let tokens = FAMILIES.iter().map(|family| family.rule);
    let others = [
        "jwt",
        "private-key",
        "url-password",
        "auth-secret",
        "header-secret",
        "variable-secret",
        "high-entropy",
    ];
    for rule in tokens.chain(others) {
        assert!(document.contains(&format!("`{rule}`")), "{rule}");
    }
}

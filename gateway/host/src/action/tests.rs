use postroom_core::secret::Secret;
use serde_json::json;

use super::*;

fn report(status: i32, output_json: &str, message: &str) -> Result<Map<String, Value>, ActionError> {
    let mask = Mask::new(&[Secret::new("s3cret-token")]);
    ActionReport { status, output_json: output_json.to_owned(), message: message.to_owned() }.accept(&mask)
}

#[test]
fn an_output_is_an_object_without_secrets() {
    let output = report(abi::POSTROOM_OK, r#"{"url":"http://a/s3cret-token","n":1}"#, "unread").unwrap();
    assert_eq!(Value::from(output), json!({ "url": "http://a/***", "n": 1 }));
    for output in ["", "[]", "7", "{", "{\"a\":1}{}"] {
        let failed = report(abi::POSTROOM_OK, output, "").unwrap_err();
        assert!(
            matches!(&failed, ActionError::Failed { reason } if reason.contains("not a JSON object")),
            "{output}"
        );
    }
}

#[test]
fn faults_of_the_input_have_their_places() {
    let json = r#"{"errors":[{"path":"/name","message":"s3cret-token is\nno name"}]}"#;
    let error = report(abi::POSTROOM_E_INVALID, json, "").unwrap_err();
    assert_eq!(error.to_string(), "the input does not fit: /name: *** is no name");
    let error = report(abi::POSTROOM_E_INVALID, "", "too late").unwrap_err();
    assert_eq!(error.to_string(), "the input does not fit: too late");
    let error = report(abi::POSTROOM_E_INVALID, "no json", "").unwrap_err();
    assert_eq!(error.to_string(), "the input does not fit: status -1 (invalid argument)");
}

#[test]
fn each_status_is_told_in_its_way() {
    #[track_caller]
    fn check(status: i32, message: &str, said: &str) {
        assert_eq!(report(status, "{}", message).unwrap_err().to_string(), said);
    }
    check(abi::POSTROOM_E_NOT_FOUND, "no such backup", "the plugin does not find it: no such backup");
    check(abi::POSTROOM_E_CONFLICT, "is there", "the plugin refuses: is there");
    check(abi::POSTROOM_E_DENIED, "", "the plugin refuses: status -7 (denied)");
    check(abi::POSTROOM_E_CONFIG, "no root", "the plugin refuses: no root");
    check(abi::POSTROOM_E_UNAVAILABLE, "offline", "the plugin cannot do this now: offline");
    check(abi::POSTROOM_E_STALE, "", "the plugin does not run: it is being stopped");
    check(abi::POSTROOM_E_TOO_LARGE, "", "the plugin failed: its output has more than 4194304 bytes");
    check(abi::POSTROOM_E_PANIC, "at\u{1b}[31m s3cret-token", "the plugin failed: at [31m ***");
    check(-99, "", "the plugin failed: status -99 (unknown)");
}

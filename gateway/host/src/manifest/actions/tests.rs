use serde_json::json;

use super::*;

fn read_of(actions: Value) -> Result<Vec<Action>, ManifestError> {
    read(json!({ "actions": actions }).as_object().unwrap())
}

#[test]
fn a_manifest_without_actions_has_none() {
    assert_eq!(read(&Map::new()), Ok(vec![]));
    assert_eq!(read_of(json!([])), Ok(vec![]));
}

#[test]
fn all_that_is_said_of_an_action_is_read() {
    let read = read_of(json!([
        { "name": "list" },
        { "name": "restore-one_2", "title": "Restore", "description": "Puts it back", "danger": true,
          "input_schema": { "type": "object" }, "output_schema": {}, "later": 1 },
    ]))
    .unwrap();
    assert_eq!((read[0].name.as_str(), read[0].danger, &read[0].input_schema), ("list", false, &None));
    let restore = &read[1];
    assert_eq!((restore.name.as_str(), restore.title.as_deref()), ("restore-one_2", Some("Restore")));
    assert_eq!((restore.danger, restore.description.as_deref()), (true, Some("Puts it back")));
    assert_eq!(restore.input_schema, Some(json!({ "type": "object" })));
    assert_eq!(restore.output_schema, Some(json!({})));
}

#[test]
fn what_is_no_list_of_actions_is_refused() {
    #[track_caller]
    fn check(actions: Value) {
        assert_eq!(read_of(actions.clone()), Err(invalid("actions", EXPECTED)), "{actions}");
    }
    check(json!({ "name": "list" }));
    check(json!(["list"]));
    check(json!([{}]));
    for name in ["", "List", "a/b", "-a", "a--b", "a b", "ä", &"a".repeat(65)] {
        check(json!([{ "name": name }]));
    }
    check(json!([{ "name": "list" }, { "name": "list" }]));
    check(json!([{ "name": "list", "danger": "yes" }]));
    check(json!([{ "name": "list", "title": 7 }]));
    check(json!([{ "name": "list", "input_schema": true }]));
    check(Value::from_iter((0..65).map(|n| json!({ "name": format!("a{n}") }))));
}

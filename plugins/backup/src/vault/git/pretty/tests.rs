use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[track_caller]
fn check(json: &str, expected: &str) {
    assert_eq!(String::from_utf8(pretty(json.as_bytes())).unwrap(), expected);
}

#[test]
fn each_value_has_a_line() {
    check(r#"{"a":[1,{}],"b":"x: {,"}"#, "{\n\t\"a\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"b\": \"x: {,\"\n}\n");
    check(r#"[ ]"#, "[]\n");
}

#[test]
fn numbers_strings_and_doubled_keys_stay_as_they_were() {
    check(r#"{"a":1.000,"a":1E400}"#, "{\n\t\"a\": 1.000,\n\t\"a\": 1E400\n}\n");
    check(r#""\\\" \u00e9""#, "\"\\\\\\\" \\u00e9\"\n");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from)];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_says_the_same_and_is_its_own_layout(value in any_json()) {
        let once = pretty(value.to_string().as_bytes());
        prop_assert_eq!(serde_json::from_slice::<Value>(&once).unwrap(), value);
        prop_assert_eq!(pretty(&once), once);
    }
}

//! Random collections: few names, so that parts are easily taken for one another, and spots that no schema allows.

use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        name().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let keys = prop_oneof![name(), "(id|key|value|name|uid|script|item|url|auth)"];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((keys, inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-d]", 1 => "[a-z /~\"\\\\é😀]{0,8}"]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![9 => "[0-9a-f]{8}", 1 => "[0-3]"]
}

/// Members, of which some are left out.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>, f64)>) -> impl Strategy<Value = Value> {
    let members = members.into_iter().map(|(key, value, likely)| {
        prop::option::weighted(likely, value)
            .prop_map(move |value| value.map(|value| (key.to_owned(), value)))
    });
    let members: Vec<_> = members.collect();
    (members, prop::option::weighted(0.1, (name(), any_json()))).prop_map(|(members, odd)| {
        Value::Object(members.into_iter().flatten().chain(odd).collect::<Map<_, _>>())
    })
}

/// A list that is now and then something else, or has something else in it.
fn list(element: BoxedStrategy<Value>, most: usize) -> BoxedStrategy<Value> {
    let element = prop_oneof![30 => element, 1 => any_json()];
    prop_oneof![30 => vec(element, 0..=most).prop_map(Value::from), 1 => any_json()].boxed()
}

fn text() -> BoxedStrategy<Value> {
    name().prop_map(Value::from).boxed()
}

fn ids() -> BoxedStrategy<Value> {
    id().prop_map(Value::from).boxed()
}

fn scripts() -> BoxedStrategy<Value> {
    let lines = vec("[a-c]{1,3}", 0..4).prop_map(Value::from).boxed();
    let source = object(vec![("id", ids(), 0.8), ("exec", lines, 0.9), ("type", text(), 0.5)]);
    let listen = prop_oneof![Just(json!("test")), Just(json!("prerequest"))].boxed();
    let script = object(vec![("listen", listen, 0.95), ("script", source.boxed(), 0.9), ("id", ids(), 0.1)]);
    list(script.boxed(), 2)
}

fn variables() -> BoxedStrategy<Value> {
    let variable =
        object(vec![("key", text(), 0.8), ("value", text(), 0.9), ("id", ids(), 0.5), ("type", text(), 0.1)]);
    list(variable.boxed(), 3)
}

fn auth() -> BoxedStrategy<Value> {
    let old = (name(), name())
        .prop_map(|(key, value)| json!({ "type": "apikey", "apikey": { "key": key, "value": value } }));
    let new =
        name().prop_map(|value| json!({ "type": "bearer", "bearer": [{ "key": "token", "value": value }] }));
    prop_oneof![old, new, Just(Value::Null)].boxed()
}

fn url() -> BoxedStrategy<Value> {
    let object = object(vec![("raw", text(), 0.9), ("path", text(), 0.3), ("variable", variables(), 0.3)]);
    prop_oneof![text(), object].boxed()
}

fn request() -> BoxedStrategy<Value> {
    let method = prop_oneof![Just(json!("GET")), Just(json!("POST"))].boxed();
    let header = object(vec![("key", text(), 0.9), ("value", text(), 0.9)]).boxed();
    let object = object(vec![
        ("method", method, 0.9),
        ("url", url(), 0.9),
        ("header", list(header, 2), 0.7),
        ("auth", auth(), 0.2),
        ("body", any_json().boxed(), 0.2),
        ("description", text(), 0.2),
    ]);
    prop_oneof![9 => object, 1 => name().prop_map(Value::from)].boxed()
}

fn examples() -> BoxedStrategy<Value> {
    let example = object(vec![
        ("name", text(), 0.9),
        ("id", ids(), 0.7),
        ("code", (200u16..203).prop_map(Value::from).boxed(), 0.8),
        ("originalRequest", request(), 0.5),
        ("responseTime", any::<u16>().prop_map(Value::from).boxed(), 0.5),
        ("body", text(), 0.5),
    ]);
    list(example.boxed(), 2)
}

fn item() -> BoxedStrategy<Value> {
    let request = object(vec![
        ("name", text(), 0.95),
        ("id", ids(), 0.7),
        ("_postman_id", ids(), 0.1),
        ("uid", ids(), 0.1),
        ("request", request(), 0.95),
        ("response", examples(), 0.7),
        ("event", scripts(), 0.3),
        ("_", id().prop_map(|id| json!({ "postman_id": id })).boxed(), 0.1),
    ]);
    request
        .prop_recursive(3, 24, 4, |inner| {
            object(vec![
                ("name", text(), 0.95),
                ("id", ids(), 0.7),
                ("item", list(inner.boxed(), 4), 0.99),
                ("event", scripts(), 0.2),
                ("variable", variables(), 0.2),
                ("auth", auth(), 0.2),
                ("description", text(), 0.2),
            ])
            .boxed()
        })
        .boxed()
}

/// A collection of format v2.
pub(crate) fn collections() -> BoxedStrategy<Value> {
    let info = object(vec![
        ("_postman_id", ids(), 0.9),
        ("name", text(), 0.95),
        ("description", text(), 0.3),
        ("updatedAt", text(), 0.2),
        ("uid", ids(), 0.2),
    ]);
    object(vec![
        ("info", info.boxed(), 0.9),
        ("item", list(item(), 5), 0.95),
        ("event", scripts(), 0.3),
        ("variable", variables(), 0.4),
        ("auth", auth(), 0.3),
    ])
    .boxed()
}

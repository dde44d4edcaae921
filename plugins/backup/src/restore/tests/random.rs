//! Random backups as Postman sends them: what becomes of them has the shape that its API takes.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::restore::body::{self, Ids};

const AUTHS: [&str; 10] =
    ["apikey", "awsv4", "basic", "bearer", "digest", "edgegrid", "hawk", "jwt", "noauth", "oauth2"];

/// Every kind of authorization with its parameters as v2.0 has them, an object.
fn auth() -> impl Strategy<Value = Value> {
    let parameters = vec(("[a-z]{1,6}", "[a-zA-Z0-9{}]{0,8}"), 0..4);
    let auth = (select(&AUTHS[..]), parameters).prop_map(|(kind, parameters)| {
        let parameters: serde_json::Map<_, _> =
            parameters.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
        json!({ "type": kind, kind: parameters })
    });
    prop_oneof![9 => auth, 1 => Just(Value::Null)]
}

fn id() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"
}

fn variables() -> impl Strategy<Value = Value> {
    let variable = (id(), "[a-z]{1,5}", any::<bool>()).prop_map(|(id, name, is_old)| match is_old {
        // Early ones are named by their id.
        true => json!({ "id": name, "value": "1", "type": "string" }),
        false => json!({ "id": id, "key": name, "value": "1", "disabled": true }),
    });
    vec(variable, 0..3).prop_map(Value::from)
}

fn events() -> impl Strategy<Value = Value> {
    let script = (id(), vec("[a-z();]{0,12}", 0..3), any::<bool>()).prop_map(|(id, lines, is_text)| {
        let exec = if is_text { json!(lines.join("\n")) } else { json!(lines) };
        json!({ "listen": "test", "script": { "id": id, "type": "text/javascript", "exec": exec } })
    });
    let script = script.boxed();
    prop_oneof![9 => vec(script.clone(), 0..3).prop_map(Value::from), 1 => script]
}

fn url() -> impl Strategy<Value = Value> {
    let parts = ("[a-z/]{0,9}", variables()).prop_map(|(path, variables)| {
        json!({
            "raw": format!("https://shop.example/{path}?a=1"), "protocol": "https", "host": ["shop", "example"],
            "path": path.split('/').collect::<Vec<_>>(), "query": [{ "key": "a", "value": null }],
            "variable": variables,
        })
    });
    prop_oneof!["[a-z:/{}]{0,12}".prop_map(Value::from), parts]
}

fn body() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        "[ -~]{0,12}".prop_map(|raw| json!({ "mode": "raw", "raw": raw })),
        Just(json!({ "mode": "formdata", "formdata": [{ "key": "a", "type": "file", "src": [] }] })),
        Just(json!({ "mode": "urlencoded", "urlencoded": [{ "key": "a", "value": "b", "disabled": true }] })),
        Just(json!({ "mode": "graphql", "graphql": { "query": "{a}", "variables": "" } })),
    ]
}

fn request() -> impl Strategy<Value = Value> {
    let headers = vec(Just(json!({ "key": "Accept", "value": "*/*", "description": "" })), 0..2);
    (url(), option::of(auth()), headers, body()).prop_map(|(url, auth, headers, body)| {
        let mut request = json!({ "method": "POST", "header": headers, "url": url, "body": body });
        if let Some(auth) = auth {
            request["auth"] = auth;
        }
        request
    })
}

fn item() -> impl Strategy<Value = Value> {
    let example = (id(), option::of(request())).prop_map(|(id, original)| {
        let mut example = json!({ "id": id, "name": "ok", "code": 200, "body": null, "responseTime": null, "header": null });
        if let Some(original) = original {
            example["originalRequest"] = original;
        }
        example
    });
    let leaf = (id(), request(), vec(example, 0..2), events()).prop_map(|(id, request, examples, events)| {
        json!({
            "name": "Pay", "id": id, "_postman_id": id, "uid": format!("12345-{id}"), "request": request,
            "response": examples, "event": events,
        })
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (id(), vec(inner, 0..3), auth(), events()).prop_map(|(id, items, auth, events)| {
            json!({ "name": "Orders", "id": id, "item": items, "auth": auth, "event": events, "description": "" })
        })
    })
}

fn backups() -> impl Strategy<Value = Value> {
    (id(), vec(item(), 0..4), auth(), variables(), events()).prop_map(|(id, items, auth, variables, events)| {
        json!({
            "info": {
                "_postman_id": id, "name": "Shop", "schema": SCHEMA.replace("v2.1.0", "v2.0.0"), "uid": format!("12345-{id}"),
                "updatedAt": "2026-01-01T00:00:00.000Z",
            },
            "item": items, "auth": auth, "variable": variables, "event": events,
        })
    })
}

/// What Postman says to a restored body.
fn sent(postman: &double::Postman, method: &str, path: String, body: &Bytes) -> (u16, String) {
    let headers = [("x-api-key", KEY), ("accept", "application/json"), ("content-type", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let query = Default::default();
    let request = double::Request { method: method.to_owned(), path, query, headers, body: body.to_vec() };
    let reply = postman.answer(&request, Duration::ZERO).unwrap();
    (reply.status, String::from_utf8(reply.body).unwrap())
}

proptest! {
    #[test]
    fn every_backup_becomes_what_the_api_takes(backup in backups()) {
        let bytes = Bytes::from(backup.to_string());
        let postman = double::Postman::new(Habits::default());
        let new = body::prepare(bytes.clone(), Ids::Remove, None).unwrap();
        let (status, said) = sent(&postman, "POST", "/collections".to_owned(), &new.json);
        prop_assert_eq!(status, 200, "{}", said);

        // Over itself it keeps its ids, over another one it has none.
        let kept = body::prepare(bytes, Ids::Keep, None).unwrap();
        let there: Value = serde_json::from_slice(&kept.json).unwrap();
        let own = backup["info"]["_postman_id"].as_str().unwrap();
        let uid = postman.put(own, "team", &there["collection"]);
        for body in [&kept.json, &new.json] {
            let (status, said) = sent(&postman, "PUT", format!("/collections/{uid}"), body);
            prop_assert_eq!(status, 200, "{}", said);
        }
    }
}

//! The shape of a collection in format v2.1.0, as Postman's schema of it says, with what Postman itself writes beyond it.
//!
//! The schema was last changed before `apikey`, `jwt` and `asap` came, `graphql` bodies, secret variables, and bodies that are
//! `null`; Postman's own exports have them, so they are no faults.

use serde_json::{Map, Value};

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

const AUTHS: [&str; 13] = [
    "apikey", "asap", "awsv4", "basic", "bearer", "digest", "edgegrid", "hawk", "jwt", "noauth", "ntlm",
    "oauth1", "oauth2",
];
const MODES: [&str; 5] = ["raw", "urlencoded", "formdata", "file", "graphql"];
const VARIABLES: [&str; 7] = ["string", "boolean", "any", "number", "default", "secret", "text"];
const IDS: [&str; 4] = ["id", "uid", "_postman_id", "postman_id"];

/// What is wrong with a collection, each with the JSON pointer of the place.
pub(super) fn faults(collection: &Value) -> Vec<String> {
    let mut check = Check::default();
    check.collection(collection);
    check.faults
}

/// The ids that a collection has, apart from those that people write into bodies, scripts and addresses.
pub(super) fn ids(collection: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    own_ids(&collection["info"], &mut ids);
    own_ids(collection, &mut ids);
    owned_ids(collection, &mut ids);
    ids
}

fn own_ids(part: &Value, ids: &mut Vec<String>) {
    ids.extend(IDS.iter().filter_map(|key| Some(part.get(*key)?.as_str()?.to_owned())));
}

fn owned_ids(owner: &Value, ids: &mut Vec<String>) {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    for event in list(&owner["event"]) {
        own_ids(&event, ids);
        own_ids(&event["script"], ids);
    }
    for variable in list(&owner["variable"]).iter().chain(&list(&owner["request"]["url"]["variable"])) {
        own_ids(variable, ids);
    }
    for response in list(&owner["response"]) {
        own_ids(&response, ids);
    }
    for item in list(&owner["item"]) {
        own_ids(&item, ids);
        own_ids(&item["_"], ids);
        owned_ids(&item, ids);
    }
}

#[derive(Default)]
struct Check {
    at: Vec<String>,
    faults: Vec<String>,
}

impl Check {
    fn fault(&mut self, what: &str) {
        self.faults.push(format!("/{}: {what}", self.at.join("/")));
    }

    fn inside(&mut self, key: impl ToString, check: impl FnOnce(&mut Self)) {
        self.at.push(key.to_string());
        check(self);
        self.at.pop();
    }

    /// Checks a member that may be absent.
    fn member(&mut self, object: &Map<String, Value>, key: &str, check: impl FnOnce(&mut Self, &Value)) {
        if let Some(value) = object.get(key) {
            self.inside(key, |it| check(it, value));
        }
    }

    fn needed(&mut self, object: &Map<String, Value>, key: &str, check: impl FnOnce(&mut Self, &Value)) {
        match object.contains_key(key) {
            true => self.member(object, key, check),
            false => self.fault(&format!("must have the property '{key}'")),
        }
    }

    fn object<'a>(&mut self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        if !value.is_object() {
            self.fault("must be an object");
        }
        value.as_object()
    }

    fn must_be_object(&mut self, value: &Value) {
        self.object(value);
    }

    fn list(&mut self, value: &Value, mut check: impl FnMut(&mut Self, &Value)) {
        let Some(list) = value.as_array() else { return self.fault("must be an array") };
        for (index, value) in list.iter().enumerate() {
            self.inside(index, |it| check(it, value));
        }
    }

    fn text(&mut self, value: &Value) {
        if !value.is_string() {
            self.fault("must be a string");
        }
    }

    fn text_or_null(&mut self, value: &Value) {
        if !value.is_string() && !value.is_null() {
            self.fault("must be a string or null");
        }
    }

    fn flag(&mut self, value: &Value) {
        if !value.is_boolean() {
            self.fault("must be a boolean");
        }
    }

    fn texts(&mut self, object: &Map<String, Value>, keys: &[&str]) {
        for key in keys {
            self.member(object, key, Self::text);
        }
    }

    fn collection(&mut self, value: &Value) {
        let Some(collection) = self.object(value) else { return };
        self.needed(collection, "info", Self::info);
        self.needed(collection, "item", |it, items| it.list(items, Self::item));
        self.common(collection);
    }

    fn info(&mut self, value: &Value) {
        let Some(info) = self.object(value) else { return };
        self.needed(info, "name", |it, name| match name.as_str() {
            Some(name) if !name.trim().is_empty() => {}
            _ => it.fault("must be a string that is not empty"),
        });
        self.needed(info, "schema", |it, schema| {
            if schema != SCHEMA {
                it.fault(&format!("must be '{SCHEMA}'"));
            }
        });
        self.texts(info, &["_postman_id"]);
        self.member(info, "description", Self::description);
        self.member(info, "version", |it, version| {
            if !version.is_string() && !version.is_object() {
                it.fault("must be a string or an object");
            }
        });
    }

    fn description(&mut self, value: &Value) {
        match value {
            Value::String(_) | Value::Null => {}
            Value::Object(description) => self.texts(description, &["content", "type"]),
            _ => self.fault("must be a string, an object or null"),
        }
    }

    /// What collections, folders and requests may have.
    fn common(&mut self, owner: &Map<String, Value>) {
        self.member(owner, "event", |it, events| it.list(events, Self::event));
        self.member(owner, "variable", |it, variables| it.list(variables, Self::variable));
        self.member(owner, "auth", Self::auth);
        self.member(owner, "description", Self::description);
        self.member(owner, "protocolProfileBehavior", |it, value| it.must_be_object(value));
    }

    fn item(&mut self, value: &Value) {
        let Some(item) = self.object(value) else { return };
        self.texts(item, &["id", "name"]);
        self.common(item);
        match (item.get("item"), item.get("request")) {
            (Some(items), None) => self.inside("item", |it| it.list(items, Self::item)),
            (None, Some(request)) => {
                self.inside("request", |it| it.request(request));
                self.member(item, "response", |it, responses| it.list(responses, Self::response));
            }
            (Some(_), Some(_)) => self.fault("must be a folder or a request, and not both"),
            (None, None) => self.fault("must have the property 'item' or 'request'"),
        }
    }

    fn event(&mut self, value: &Value) {
        let Some(event) = self.object(value) else { return };
        self.needed(event, "listen", Self::text);
        self.texts(event, &["id"]);
        self.member(event, "disabled", Self::flag);
        self.member(event, "script", |it, script| {
            let Some(script) = it.object(script) else { return };
            it.texts(script, &["id", "type", "name"]);
            it.member(script, "src", Self::url);
            it.member(script, "exec", |it, exec| match exec {
                Value::String(_) => {}
                lines => it.list(lines, Self::text),
            });
        });
    }

    fn variable(&mut self, value: &Value) {
        let Some(variable) = self.object(value) else { return };
        if !variable.contains_key("key") && !variable.contains_key("id") {
            self.fault("must have the property 'key' or 'id'");
        }
        self.texts(variable, &["id", "name"]);
        self.member(variable, "key", Self::text_or_null);
        self.member(variable, "type", |it, kind| match kind.as_str() {
            Some(kind) if VARIABLES.contains(&kind) => {}
            _ => it.fault("must be one of the types of variables"),
        });
        self.member(variable, "description", Self::description);
        self.member(variable, "disabled", Self::flag);
        self.member(variable, "system", Self::flag);
    }

    fn auth(&mut self, value: &Value) {
        if value.is_null() {
            return;
        }
        let Some(auth) = self.object(value) else { return };
        self.needed(auth, "type", |it, kind| match kind.as_str() {
            Some(kind) if AUTHS.contains(&kind) => {}
            _ => it.fault("must be one of the types of authorization"),
        });
        for (key, parameters) in auth.iter().filter(|(key, _)| !matches!(key.as_str(), "type" | "noauth")) {
            self.inside(key, |it| {
                it.list(parameters, |it, parameter| {
                    let Some(parameter) = it.object(parameter) else { return };
                    it.needed(parameter, "key", Self::text);
                    it.texts(parameter, &["type"]);
                });
            });
        }
    }

    fn request(&mut self, value: &Value) {
        if value.is_string() {
            return;
        }
        let Some(request) = self.object(value) else { return };
        self.texts(request, &["method"]);
        self.member(request, "url", Self::url);
        self.member(request, "auth", Self::auth);
        self.member(request, "description", Self::description);
        self.member(request, "header", Self::headers);
        self.member(request, "body", Self::body);
    }

    fn headers(&mut self, value: &Value) {
        match value {
            Value::String(_) | Value::Null => {}
            headers => self.list(headers, |it, header| {
                if header.is_string() {
                    return;
                }
                let Some(header) = it.object(header) else { return };
                it.needed(header, "key", Self::text_or_null);
                it.needed(header, "value", Self::text_or_null);
                it.member(header, "disabled", Self::flag);
                it.member(header, "description", Self::description);
            }),
        }
    }

    fn body(&mut self, value: &Value) {
        if value.is_null() {
            return;
        }
        let Some(body) = self.object(value) else { return };
        self.member(body, "mode", |it, mode| match mode.as_str() {
            Some(mode) if MODES.contains(&mode) => {}
            _ => it.fault("must be one of the modes of bodies"),
        });
        self.texts(body, &["raw"]);
        for pairs in ["urlencoded", "formdata"] {
            self.member(body, pairs, |it, pairs| {
                it.list(pairs, |it, pair| {
                    let Some(pair) = it.object(pair) else { return };
                    it.needed(pair, "key", Self::text_or_null);
                    it.texts(pair, &["type", "contentType"]);
                    it.member(pair, "disabled", Self::flag);
                    it.member(pair, "description", Self::description);
                });
            });
        }
        self.member(body, "file", |it, file| it.must_be_object(file));
        self.member(body, "disabled", Self::flag);
    }

    fn url(&mut self, value: &Value) {
        if value.is_string() {
            return;
        }
        let Some(url) = self.object(value) else { return };
        self.texts(url, &["raw", "protocol", "port", "hash"]);
        for key in ["host", "path"] {
            self.member(url, key, |it, part| match part {
                Value::String(_) => {}
                parts => it.list(parts, |it, part| {
                    if !part.is_string() && !part.is_object() {
                        it.fault("must be a string");
                    }
                }),
            });
        }
        self.member(url, "query", |it, query| {
            it.list(query, |it, parameter| {
                let Some(parameter) = it.object(parameter) else { return };
                it.member(parameter, "key", Self::text_or_null);
                it.member(parameter, "value", Self::text_or_null);
                it.member(parameter, "disabled", Self::flag);
                it.member(parameter, "description", Self::description);
            });
        });
        self.member(url, "variable", |it, variables| it.list(variables, Self::variable));
    }

    fn response(&mut self, value: &Value) {
        let Some(response) = self.object(value) else { return };
        self.texts(response, &["id", "name", "status"]);
        self.member(response, "originalRequest", Self::request);
        self.member(response, "header", Self::headers);
        self.member(response, "body", Self::text_or_null);
        self.member(response, "cookie", |it, cookies| {
            it.list(cookies, |it, cookie| it.must_be_object(cookie))
        });
        self.member(response, "code", |it, code| {
            if !code.is_u64() {
                it.fault("must be an integer");
            }
        });
        self.member(response, "responseTime", |it, time| {
            if !time.is_null() && !time.is_string() && !time.is_number() {
                it.fault("must be a number, a string or null");
            }
        });
    }
}

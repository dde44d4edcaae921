//! Format v1: folders and requests in two flat lists, held together by ids.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{SCHEMA, auth, parameter};

type Object = Map<String, Value>;

/// What a helper of v1 is called today.
const HELPERS: [(&str, &str); 9] = [
    ("apikeyAuth", "apikey"),
    ("awsSigV4", "awsv4"),
    ("basicAuth", "basic"),
    ("bearerAuth", "bearer"),
    ("digestAuth", "digest"),
    ("hawkAuth", "hawk"),
    ("ntlmAuth", "ntlm"),
    ("oAuth1", "oauth1"),
    ("oAuth2", "oauth2"),
];

/// Folders that are deeper go to the top: deeper, nobody could read the result.
const DEPTH_MAX: usize = 50;

pub(super) fn convert(collection: &Object) -> Value {
    let mut builder = Builder {
        folders: by_id(collection, "folders"),
        requests: by_id(collection, "requests"),
        taken: HashSet::new(),
        depth: 0,
    };
    let mut items = builder.items(collection);
    // Whatever no list names is at the top, so that nothing is lost.
    for folder in objects(collection, "folders") {
        items.extend(builder.folder(folder));
    }
    for request in objects(collection, "requests") {
        items.extend(builder.request(request));
    }
    let mut info = Object::new();
    copy(collection, "id", &mut info, "_postman_id");
    info.insert("name".to_owned(), collection.get("name").cloned().unwrap_or_else(|| json!("")));
    copy(collection, "description", &mut info, "description");
    info.insert("schema".to_owned(), json!(SCHEMA));
    let mut result = Object::new();
    result.insert("info".to_owned(), Value::Object(info));
    result.insert("item".to_owned(), Value::Array(items));
    inherited(collection, &mut result);
    Value::Object(result)
}

struct Builder<'a> {
    folders: HashMap<&'a str, &'a Object>,
    requests: HashMap<&'a str, &'a Object>,
    /// What is part of the result: a list may name something twice, or itself.
    taken: HashSet<*const Object>,
    depth: usize,
}

impl<'a> Builder<'a> {
    /// What the lists of a collection or folder name.
    fn items(&mut self, owner: &'a Object) -> Vec<Value> {
        let mut items = Vec::new();
        let folders = texts(owner, "folders_order").filter(|_| self.depth < DEPTH_MAX);
        for id in folders.collect::<Vec<_>>() {
            if let Some(folder) = self.folders.get(id).copied() {
                items.extend(self.folder(folder));
            }
        }
        for id in texts(owner, "order") {
            if let Some(request) = self.requests.get(id).copied() {
                items.extend(self.request(request));
            }
        }
        items
    }

    fn folder(&mut self, folder: &'a Object) -> Option<Value> {
        if !self.taken.insert(std::ptr::from_ref(folder)) {
            return None;
        }
        let mut item = Object::new();
        item.insert("name".to_owned(), folder.get("name").cloned().unwrap_or_else(|| json!("")));
        copy(folder, "id", &mut item, "id");
        copy(folder, "description", &mut item, "description");
        self.depth += 1;
        let items = self.items(folder);
        self.depth -= 1;
        item.insert("item".to_owned(), Value::Array(items));
        inherited(folder, &mut item);
        Some(Value::Object(item))
    }

    fn request(&mut self, request: &'a Object) -> Option<Value> {
        if !self.taken.insert(std::ptr::from_ref(request)) {
            return None;
        }
        let mut item = Object::new();
        item.insert("name".to_owned(), request.get("name").cloned().unwrap_or_else(|| json!("")));
        copy(request, "id", &mut item, "id");
        let scripts = scripts(request);
        if !scripts.is_empty() {
            item.insert("event".to_owned(), Value::Array(scripts));
        }
        copy(request, "variables", &mut item, "variable");
        copy(request, "protocolProfileBehavior", &mut item, "protocolProfileBehavior");
        item.insert("request".to_owned(), message(request));
        let examples = objects(request, "responses").map(|response| example(response, request)).collect();
        item.insert("response".to_owned(), Value::Array(examples));
        Some(Value::Object(item))
    }
}

/// What folders and collections hand down.
fn inherited(from: &Object, to: &mut Object) {
    if let Some(auth) = authorization(from) {
        to.insert("auth".to_owned(), auth);
    }
    let scripts = scripts(from);
    if !scripts.is_empty() {
        to.insert("event".to_owned(), Value::Array(scripts));
    }
    copy(from, "variables", to, "variable");
}

fn message(request: &Object) -> Value {
    let mut message = Object::new();
    if let Some(auth) = authorization(request) {
        message.insert("auth".to_owned(), auth);
    }
    message.insert("method".to_owned(), request.get("method").cloned().unwrap_or_else(|| json!("GET")));
    message.insert("header".to_owned(), Value::Array(headers(request)));
    if let Some(body) = body(request) {
        message.insert("body".to_owned(), body);
    }
    message.insert("url".to_owned(), address(request));
    copy(request, "description", &mut message, "description");
    Value::Object(message)
}

fn authorization(owner: &Object) -> Option<Value> {
    if let Some(Value::Object(block)) = owner.get("auth") {
        let mut block = block.clone();
        auth(&mut block);
        return Some(Value::Object(block));
    }
    let helper = owner.get("currentHelper")?.as_str()?;
    let (_, kind) = HELPERS.iter().find(|(early, _)| *early == helper)?;
    let parameters = owner.get("helperAttributes").and_then(Value::as_object).into_iter().flatten();
    // `id` names the helper once more.
    let parameters: Vec<Value> = parameters
        .filter(|(key, _)| *key != "id")
        .map(|(key, value)| parameter(key, value.clone()))
        .collect();
    Some(json!({ "type": kind, *kind: parameters }))
}

fn scripts(owner: &Object) -> Vec<Value> {
    let events: Vec<Value> = objects(owner, "events").map(|event| Value::Object(event.clone())).collect();
    if !events.is_empty() {
        return events;
    }
    let script = |listen: &str, key: &str| {
        let text = owner.get(key)?.as_str().filter(|text| !text.is_empty())?;
        let lines: Vec<&str> = text.split('\n').collect();
        Some(json!({ "listen": listen, "script": { "type": "text/javascript", "exec": lines } }))
    };
    [script("prerequest", "preRequestScript"), script("test", "tests")].into_iter().flatten().collect()
}

/// A list of pairs, or one text with a line for each; `//` before a line turns it off.
fn headers(owner: &Object) -> Vec<Value> {
    let data = owner.get("headerData").or_else(|| owner.get("headers"));
    match data {
        Some(Value::Array(list)) => list.iter().map(pair).collect(),
        Some(Value::String(text)) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let headers = lines.map(|line| {
                let (line, is_off) = line.strip_prefix("//").map_or((line, false), |line| (line, true));
                let (key, value) = line.split_once(':').unwrap_or((line, ""));
                let mut header = json!({ "key": key.trim(), "value": value.trim() });
                if is_off {
                    header["disabled"] = json!(true);
                }
                header
            });
            headers.collect()
        }
        _ => Vec::new(),
    }
}

/// A pair that is on unless it says otherwise.
fn pair(pair: &Value) -> Value {
    let Value::Object(members) = pair else { return pair.clone() };
    let mut members = members.clone();
    if members.shift_remove("enabled") == Some(json!(false)) {
        members.insert("disabled".to_owned(), json!(true));
    }
    Value::Object(members)
}

fn body(request: &Object) -> Option<Value> {
    let data = request.get("data");
    let text = request.get("rawModeData").or(data).filter(|text| text.is_string());
    let pairs = || -> Vec<Value> { data.and_then(Value::as_array).into_iter().flatten().map(pair).collect() };
    let mut body = match request.get("dataMode").and_then(Value::as_str) {
        Some("raw") => json!({ "mode": "raw", "raw": text.cloned().unwrap_or_else(|| json!("")) }),
        Some("params") => json!({ "mode": "formdata", "formdata": pairs() }),
        Some("urlencoded") => json!({ "mode": "urlencoded", "urlencoded": pairs() }),
        Some("binary") => json!({ "mode": "file", "file": { "src": text } }),
        Some("graphql") => json!({ "mode": "graphql", "graphql": request.get("graphqlModeData") }),
        _ => {
            let text = text.filter(|text| text.as_str() != Some(""))?;
            json!({ "mode": "raw", "raw": text })
        }
    };
    if let Some(options) = request.get("dataOptions").filter(|options| options.is_object()) {
        body["options"] = options.clone();
    }
    Some(body)
}

/// The address: taken apart only if its path has variables, because then it has to be.
fn address(request: &Object) -> Value {
    let raw = request.get("url").and_then(Value::as_str).unwrap_or_default();
    let listed = request.get("pathVariableData").and_then(Value::as_array).filter(|list| !list.is_empty());
    let variables: Vec<Value> = match (listed, request.get("pathVariables")) {
        (Some(list), _) => list.clone(),
        (None, Some(Value::Object(values))) => {
            values.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
        }
        _ => Vec::new(),
    };
    if variables.is_empty() {
        return json!(raw);
    }
    let (rest, hash) = raw.split_once('#').map_or((raw, None), |(rest, hash)| (rest, Some(hash)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (protocol, rest) = rest.split_once("://").map_or((None, rest), |(head, rest)| (Some(head), rest));
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let numbers = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if numbers(port) => (host, Some(port)),
        _ => (host, None),
    };
    let mut url = json!({ "raw": raw });
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            url[key] = value;
        }
    };
    set("protocol", protocol.map(Value::from));
    set("host", Some(json!(host.split('.').collect::<Vec<_>>())));
    set("port", port.map(Value::from));
    set("path", path.map(|path| json!(path.split('/').collect::<Vec<_>>())));
    set(
        "query",
        query.map(|query| {
            let pairs = query.split('&').map(|pair| {
                let (key, value) =
                    pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value)));
                json!({ "key": key, "value": value })
            });
            pairs.collect()
        }),
    );
    set("hash", hash.map(Value::from));
    set("variable", Some(Value::Array(variables)));
    url
}

fn example(response: &Object, request: &Object) -> Value {
    let mut example = Object::new();
    copy(response, "id", &mut example, "id");
    example.insert("name".to_owned(), response.get("name").cloned().unwrap_or_else(|| json!("")));
    let original = response.get("requestObject").or_else(|| response.get("request"));
    let original = original.and_then(Value::as_object).unwrap_or(request);
    example.insert("originalRequest".to_owned(), message(original));
    if let Some(Value::Object(code)) = response.get("responseCode") {
        copy(code, "name", &mut example, "status");
        copy(code, "code", &mut example, "code");
    }
    copy(response, "language", &mut example, "_postman_previewlanguage");
    example.insert("header".to_owned(), Value::Array(headers(response)));
    copy(response, "cookies", &mut example, "cookie");
    copy(response, "time", &mut example, "responseTime");
    copy(response, "text", &mut example, "body");
    Value::Object(example)
}

fn copy(from: &Object, key: &str, to: &mut Object, name: &str) {
    if let Some(value) = from.get(key).filter(|value| !value.is_null()) {
        to.insert(name.to_owned(), value.clone());
    }
}

fn by_id<'a>(collection: &'a Object, key: &str) -> HashMap<&'a str, &'a Object> {
    objects(collection, key).filter_map(|object| Some((object.get("id")?.as_str()?, object))).collect()
}

fn objects<'a>(owner: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    owner.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn texts<'a>(owner: &'a Object, key: &str) -> impl Iterator<Item = &'a str> {
    owner.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

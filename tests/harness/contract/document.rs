//! The committed document, read for checking.

use std::{collections::BTreeMap, sync::LazyLock};

use http::{Method, StatusCode};
use jsonschema::Validator;
use serde_json::Value;

use super::schema::Schemas;

/// The document that the gateway serves; a test of its own holds that it is this.
pub(super) static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let text = include_str!("../../../openapi/postroom.json");
    Document::read(&serde_json::from_str(text).expect("the document is JSON"))
});

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

pub(super) struct Document(Vec<Operation>);

pub(super) struct Operation {
    pub(super) id: String,
    method: String,
    path: Vec<String>,
    has_a_tag: bool,
    /// By status: `200`, or a range such as `4XX`.
    responses: BTreeMap<String, Response>,
}

/// The bodies of one status, by media type.
pub(super) struct Response(BTreeMap<String, Option<Validator>>);

/// What the document says of a method and path.
pub(super) enum Described {
    Operation(&'static Operation),
    /// The path has operations, with these methods.
    OtherMethods(Vec<&'static str>),
    Nothing,
}

impl Document {
    fn read(document: &Value) -> Self {
        let schemas = Schemas::of(document);
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().expect("a document has paths") {
            for method in METHODS {
                let Some(operation) = methods.get(method) else { continue };
                let responses = operation["responses"].as_object().expect("an operation has responses");
                operations.push(Operation {
                    id: operation["operationId"].as_str().expect("an operation has an id").to_owned(),
                    method: method.to_uppercase(),
                    path: path.split('/').map(str::to_owned).collect(),
                    has_a_tag: operation.pointer("/responses/200/headers/ETag").is_some(),
                    responses: responses
                        .iter()
                        .map(|(status, response)| (status.clone(), Response::read(response, &schemas)))
                        .collect(),
                });
            }
        }
        Self(operations)
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.0.iter()
    }

    pub(super) fn find(&'static self, method: &Method, path: &str) -> Described {
        // A HEAD is answered as the GET it stands for.
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        let mut at: Vec<&Operation> = self.0.iter().filter(|operation| operation.is_at(path)).collect();
        // A path that is spelled out wins.
        let names = at.iter().map(|operation| operation.names()).min();
        at.retain(|operation| Some(operation.names()) == names);
        match at.iter().find(|operation| operation.method == method) {
            Some(operation) => Described::Operation(operation),
            None if at.is_empty() => Described::Nothing,
            None => Described::OtherMethods(at.iter().map(|operation| &*operation.method).collect()),
        }
    }
}

impl Operation {
    fn names(&self) -> usize {
        self.path.iter().filter(|part| part.starts_with('{')).count()
    }

    fn is_at(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        self.path.iter().all(|wanted| {
            parts.next().is_some_and(
                |part| {
                    if wanted.starts_with('{') { !part.is_empty() } else { part == wanted }
                },
            )
        }) && parts.next().is_none()
    }

    /// Whether an answer may also be that nothing has changed, which the document can only say in words.
    pub(super) fn answers_with_a_tag(&self) -> bool {
        self.has_a_tag
    }

    pub(super) fn response(&self, status: StatusCode) -> Option<&Response> {
        let range = format!("{}XX", status.as_u16() / 100);
        self.responses.get(status.as_str()).or_else(|| self.responses.get(&range))
    }
}

impl Response {
    fn read(response: &Value, schemas: &Schemas) -> Self {
        let content = response.get("content").and_then(Value::as_object);
        let media_types = content.into_iter().flatten().map(|(name, media_type)| {
            // Only JSON can be held against a schema.
            let json = name == "application/json" || name.ends_with("+json");
            (name.clone(), json.then(|| schemas.validator(&media_type["schema"])))
        });
        Self(media_types.collect())
    }

    /// Checks the media type, and the body if there is one to check.
    pub(super) fn check(&self, content_type: &str, body: Option<&[u8]>) -> Result<(), String> {
        if self.0.is_empty() {
            let empty = body.is_none_or(<[u8]>::is_empty);
            return if empty { Ok(()) } else { Err("no body is described".to_owned()) };
        }
        // `*/*` describes a body that is sent as it came in, whatever it is.
        let described = self.0.get(content_type).or_else(|| self.0.get("*/*"));
        let described =
            described.ok_or_else(|| format!("the media type {content_type:?} is not described"))?;
        let (Some(validator), Some(body)) = (described, body) else { return Ok(()) };
        let body = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
        let faults: Vec<String> =
            validator.iter_errors(&body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

//! Which operation a request means, by method and path. The router knows this too but keeps it to itself: here it gives
//! requests a name that holds nothing a stranger wrote, and a 405 its `Allow`.

use poem::http::Method;
use poem_openapi::registry::{MetaApi, MetaMediaType, MetaOperation, Registry};

use crate::{auth, expect, parameters::Parameters};

/// What every path of the API begins with.
const API_PREFIX: &str = "/api/v1/";

/// Every operation that is offered, those first whose paths have fewer names.
pub(crate) struct Operations(Vec<Operation>);

struct Operation {
    id: &'static str,
    method: Method,
    path: Vec<Part>,
    /// How many parts of its path may be anything.
    names: usize,
    /// Of an operation that needs an API key. A hook takes any.
    parameters: Option<Parameters>,
    /// Whether it reads something and answers JSON, which need not be sent again while it stays the same.
    is_conditional: bool,
}

/// What a request is about.
pub(crate) struct Object {
    /// `destinations/itoc360`, in the caller's own words.
    pub(crate) named: String,
    /// `destinations/…`
    pub(crate) kind: String,
}

enum Part {
    Fixed(String),
    Any,
}

impl Operations {
    /// Reads the operations of a document, whose schemas are in `registry`.
    pub(crate) fn of(apis: Vec<MetaApi>, registry: &Registry) -> Self {
        let paths = apis.into_iter().flat_map(|api| api.paths);
        let all = Self(
            paths
                .flat_map(|path| {
                    path.operations.into_iter().map(move |operation| (path.path.clone(), operation))
                })
                .filter_map(|(path, operation)| {
                    let keyed =
                        operation.security.iter().any(|scheme| scheme.contains_key(auth::API_KEY_SCHEME));
                    let is_conditional = is_conditional(&operation, &path);
                    let parameters = keyed.then(|| Parameters::of(&operation.params, registry));
                    let described = Operation::new(operation.operation_id?, operation.method, &path);
                    Some(Operation { parameters, is_conditional, ..described })
                })
                .collect(),
        );
        all.sorted()
    }

    /// Adds what is offered beside the document.
    pub(crate) fn with(mut self, id: &'static str, method: Method, path: &str) -> Self {
        self.0.push(Operation::new(id, method, path));
        self.sorted()
    }

    fn sorted(mut self) -> Self {
        self.0.sort_by_key(|operation| operation.names);
        self
    }

    /// The id of the operation that a request means.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<&'static str> {
        // A HEAD is answered as the GET it stands for.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.at(path).find(|operation| operation.method == method).map(|operation| operation.id)
    }

    /// The parameters of the operation with this id; `None` for one that takes any.
    pub(crate) fn parameters(&self, id: &str) -> Option<&Parameters> {
        self.0.iter().find(|operation| operation.id == id)?.parameters.as_ref()
    }

    /// Whether the operation with this id reads something and answers JSON.
    pub(crate) fn is_conditional(&self, id: &str) -> bool {
        self.0.iter().any(|operation| operation.id == id && operation.is_conditional)
    }

    /// What a request to the operation with this id is about, by its path. `None` for an operation that is about no one
    /// thing.
    pub(crate) fn object(&self, id: &str, path: &str) -> Option<Object> {
        let operation = self.0.iter().find(|operation| operation.id == id)?;
        let last = operation.path.iter().rposition(|part| matches!(part, Part::Any))?;
        let path = path.strip_prefix(API_PREFIX)?;
        let before = API_PREFIX.split('/').count() - 1;
        let parts = || path.split('/').zip(operation.path.get(before..=last).unwrap_or_default());
        let named: Vec<_> = parts().map(|(part, _)| expect::shown(part)).collect();
        let kind: Vec<_> =
            parts().map(|(part, wanted)| if matches!(wanted, Part::Any) { "…" } else { part }).collect();
        Some(Object { named: named.join("/"), kind: kind.join("/") })
    }

    /// The value of `Allow` for a path; `None` when no operation has it.
    pub(crate) fn allow(&self, path: &str) -> Option<String> {
        let mut methods = Vec::new();
        for operation in self.at(path) {
            methods.push(operation.method.as_str());
            if operation.method == Method::GET {
                methods.push(Method::HEAD.as_str());
            }
        }
        (!methods.is_empty()).then(|| methods.join(", "))
    }

    /// The operations of a path. One that is spelled out wins over one that has a name in the same place, as with the router.
    fn at<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Operation> {
        let mut names = None;
        let at = self.0.iter().filter(move |operation| operation.is_at(path));
        at.take_while(move |operation| *names.get_or_insert(operation.names) == operation.names)
    }
}

/// A file that comes in pieces may be JSON too, and is no such answer.
fn is_conditional(operation: &MetaOperation, path: &str) -> bool {
    let is_json = |content: &MetaMediaType| content.content_type.starts_with("application/json");
    let good = operation.responses.responses.iter().filter(|response| response.status == Some(200));
    operation.method == Method::GET
        && path.starts_with("/api/v1/")
        && good.flat_map(|response| &response.content).any(is_json)
}

impl Operation {
    fn new(id: &'static str, method: Method, path: &str) -> Self {
        let part = |part: &str| if part.starts_with('{') { Part::Any } else { Part::Fixed(part.to_owned()) };
        let path: Vec<Part> = path.split('/').map(part).collect();
        Self {
            id,
            method,
            names: path.iter().filter(|part| matches!(part, Part::Any)).count(),
            path,
            parameters: None,
            is_conditional: false,
        }
    }

    fn is_at(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        self.path.iter().all(|wanted| match (wanted, parts.next()) {
            (Part::Fixed(wanted), Some(part)) => wanted == part,
            (Part::Any, Some(part)) => !part.is_empty(),
            (_, None) => false,
        }) && parts.next().is_none()
    }
}

#[cfg(test)]
mod tests;

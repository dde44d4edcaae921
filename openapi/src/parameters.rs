//! The query parameters of an operation: what each takes, in words, and which there are. A parameter that is not known
//! is refused: a filter with a slip in its name would otherwise give everything.

use std::sync::Arc;

use poem::Request;
use poem_openapi::registry::{MetaOperationParam, MetaParamIn, Registry};

use crate::{
    expect, nearest,
    problem::{Code, Failure},
};

/// Of one operation. Cheap to share.
#[derive(Clone)]
pub(crate) struct Parameters(Arc<[Parameter]>);

struct Parameter {
    name: String,
    takes: String,
}

impl Parameters {
    pub(crate) fn of(parameters: &[MetaOperationParam], registry: &Registry) -> Self {
        let queries = parameters.iter().filter(|parameter| parameter.in_type == MetaParamIn::Query);
        let parameter = |parameter: &MetaOperationParam| Parameter {
            name: parameter.name.clone(),
            takes: expect::in_words(&parameter.schema, registry),
        };
        Self(queries.map(parameter).collect())
    }

    /// Refuses a query with a parameter that the operation does not have.
    pub(crate) fn check(&self, request: &Request) -> Result<(), Failure> {
        if request.uri().query().is_none_or(str::is_empty) {
            return Ok(());
        }
        let known = || self.0.iter().map(|parameter| parameter.name.as_str());
        let query: Vec<(String, String)> = request.params().unwrap_or_default();
        match query.iter().find(|(name, _)| known().all(|known| known != name)) {
            None => Ok(()),
            Some((name, _)) => Err(Failure::new(
                Code::InvalidParameter,
                format!("there is no parameter `{}`; {}", expect::shown(name), nearest::hint(name, known())),
            )),
        }
    }

    /// The refusal of a value that the parameter called `name` does not take.
    pub(crate) fn refusal(&self, name: &str) -> Option<Failure> {
        let parameter = self.0.iter().find(|parameter| parameter.name == name)?;
        let detail = format!("parameter `{name}`: expected {}", parameter.takes);
        Some(Failure::new(Code::InvalidParameter, detail))
    }
}

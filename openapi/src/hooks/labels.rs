//! Labels from the query: `?token=…&label.team=payments`.

use std::collections::BTreeMap;

use crate::problem::{Code, Failure};

/// Labels that one request may add.
const COUNT_MAX: usize = 16;
/// Longest name or value of a label, in bytes.
const BYTES_MAX: usize = 256;
/// What makes a query parameter a label.
const PREFIX: &str = "label.";

/// Takes the labels out of the query. A name that comes twice is refused: which value is meant cannot be told.
pub(super) fn parse(query: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut labels = BTreeMap::new();
    for (name, value) in query {
        let Some(name) = name.strip_prefix(PREFIX) else { continue };
        if name.is_empty() {
            return Err(invalid("a label needs a name: `label.<name>=<value>`".to_owned()));
        }
        if name.len() > BYTES_MAX {
            return Err(invalid(format!("the name of a label is longer than {BYTES_MAX} bytes")));
        }
        if value.len() > BYTES_MAX {
            return Err(invalid(format!("the value of label `{name}` is longer than {BYTES_MAX} bytes")));
        }
        if labels.insert(name.to_owned(), value.clone()).is_some() {
            return Err(invalid(format!("label `{name}` is given twice")));
        }
        if labels.len() > COUNT_MAX {
            return Err(invalid(format!("label `{name}` is one too many: at most {COUNT_MAX} are taken")));
        }
    }
    Ok(labels)
}

fn invalid(detail: String) -> Failure {
    Failure::new(Code::InvalidLabel, detail)
}

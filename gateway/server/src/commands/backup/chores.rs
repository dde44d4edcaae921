//! Work that goes over all collections, one by one: so that it can be seen how far it is, and no single action takes hours.

use serde_json::{Value, json};

use super::{
    act::{Backups, WORKING, list},
    find::{self, Found},
};
use crate::{
    command::Failure,
    output::{Output, plain},
};

/// The collections that are meant: the one that is named, or all.
pub(super) fn meant(backups: &Backups, wanted: Option<&str>) -> Result<Vec<Found>, Failure> {
    match wanted {
        Some(wanted) => Ok(vec![find::find(wanted, backups)?]),
        None => {
            let all = backups.collections()?.into_iter();
            Ok(all.map(|(key, name)| Found { key, name }).collect())
        }
    }
}

/// Runs an action for each collection; gives the answers as one.
pub(super) fn each(
    backups: &Backups,
    collections: &[Found],
    action: &str,
    input: &Value,
    doing: &str,
    output: &mut Output<'_>,
) -> Result<Value, Failure> {
    let mut all = Value::Null;
    for (index, found) in collections.iter().enumerate() {
        let (nth, count) = (index + 1, collections.len());
        output.progress(format_args!("{doing} collection {nth} of {count}: {}", found.name))?;
        let mut input = input.clone();
        input["collection"] = json!(found.key);
        let answer = match backups.act(action, input, WORKING) {
            // Those before it are done.
            Err(failure) if index > 0 => {
                output.say(format_args!("stopped at collection {nth} of {count}: {}", plain(&found.name)))?;
                return Err(failure);
            }
            answer => answer?,
        };
        add(&mut all, answer);
    }
    Ok(all)
}

/// Adds an answer to others: numbers are summed, lists go behind each other, and `true` is only what always is.
fn add(all: &mut Value, answer: Value) {
    match (all, answer) {
        (all @ Value::Null, answer) => *all = answer,
        (Value::Object(all), Value::Object(answer)) => {
            for (name, value) in answer {
                add(all.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(all), Value::Array(more)) => all.extend(more),
        (Value::Bool(all), Value::Bool(more)) => *all &= more,
        (all @ Value::Number(_), Value::Number(more)) => {
            *all = json!(all.as_u64().unwrap_or_default() + more.as_u64().unwrap_or_default());
        }
        // What differs in shape is of no number of answers: the first one counts.
        _ => {}
    }
}

/// How many of the things in a list are of different collections.
pub(super) fn collections_in(answer: &Value, name: &str) -> Result<u64, Failure> {
    let mut keys: Vec<_> = list(answer, name)?.iter().filter_map(|it| it["collection"].as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys.len() as u64)
}

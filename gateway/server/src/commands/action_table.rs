//! The actions of a plugin as people are shown them, whether the gateway or the file of the plugin tells of them.

use serde_json::Value;

use crate::output::{Output, OutputError};

/// One line for each action, nothing when there is none.
pub(super) fn print(actions: &Value, output: &mut Output<'_>) -> Result<(), OutputError> {
    let row = |action: &Value| {
        let text = |key: &str| action[key].as_str().unwrap_or_default().to_owned();
        let danger = if action["danger"] == true { "yes" } else { "" };
        [text("name"), danger.to_owned(), takes(&action["input_schema"]), text("description")]
    };
    let rows: Vec<[String; 4]> = actions.as_array().into_iter().flatten().map(row).collect();
    output.table(["ACTION", "DANGER", "TAKES", "MEANING"], &rows)
}

/// The members of an input in short, those that may be left out in brackets.
fn takes(schema: &Value) -> String {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let names = schema["properties"].as_object().into_iter().flatten();
    let names = names.map(|(name, _)| if required(name) { name.clone() } else { format!("[{name}]") });
    names.collect::<Vec<_>>().join(" ")
}

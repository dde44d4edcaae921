//! How the plugin takes its settings: the right ones, and what an operator may have written by mistake.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Broken, Subject, rig::Rig};
use crate::{config_fault, process::StartError};

/// Whether it starts with the settings that the author gave.
pub(super) async fn starts(subject: &Subject) -> Result<String, Broken> {
    let began = Instant::now();
    Rig::start(subject).await?;
    Ok(format!("ready after {} ms", began.elapsed().as_millis()))
}

/// An object with settings that no plugin has.
pub(super) async fn nonsense(subject: &Subject) -> Result<String, Broken> {
    let config = json!({
        "\u{0}": [[[]]],
        "no such setting": { "$secret": 7 },
        "": -1e300,
        "\u{1f4a5}": "\u{feff}\u{202e}",
    });
    refuses_or_takes(subject, config).await
}

/// Something that is no object. The gateway never does this, but then it checks nothing else about the settings either.
pub(super) async fn other_type(subject: &Subject) -> Result<String, Broken> {
    let mut answers: Vec<String> = Vec::new();
    for config in [json!("text"), json!(42), json!([]), Value::Null] {
        let answer = refuses_or_takes(subject, config).await?;
        if !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    Ok(answers.join(", "))
}

async fn refuses_or_takes(subject: &Subject, config: Value) -> Result<String, Broken> {
    match Rig::start_with(subject, config).await {
        Ok(_) => Ok("taken".to_owned()),
        Err(StartError::Refused(faults)) => Ok(format!("refused: {}", config_fault::list(&faults))),
        Err(error @ StartError::Failed(_)) => Err(Broken::new(format!(
            "{}; say POSTROOM_E_CONFIG, so that the operator is told and nobody tries again",
            error.with_cause()
        ))),
        Err(error) => Err(error.into()),
    }
}

//! The destination that keeps the backups, and the actions of its plugin.

use std::{cmp::Reverse, mem, time::Duration};

use serde_json::{Value, json};

use super::Place;
use crate::{
    command::{Api, Exit, Failure, Question},
    output::plain,
};

/// The plugin that keeps backups.
const PLUGIN: &str = "backup";

/// For what reads lists or one body: a slow storage may have many files to read.
pub(super) const READING: Duration = Duration::from_secs(300);
/// For a restore: Postman may have the plugin wait, and work on it in the background.
pub(super) const RESTORING: Duration = Duration::from_secs(900);
/// For what reads or writes a great deal: the most that the gateway gives.
pub(super) const WORKING: Duration = Duration::from_secs(3600);

/// One destination that keeps backups.
pub(super) struct Backups {
    api: Api,
    destination: String,
}

impl Backups {
    /// The destination that is named, or the only one there is.
    pub(super) fn open(place: &Place) -> Result<Self, Failure> {
        let api = place.gateway.api()?;
        let destination = match &place.destination {
            Some(name) if name.trim().is_empty() => {
                return Err(Failure::new(Exit::Usage, "the destination has no name"));
            }
            Some(name) => name.clone(),
            None => only(&api.get(&["destinations"])?)?,
        };
        Ok(Self { api, destination })
    }

    /// Has the plugin do something; gives what it gives.
    pub(super) fn act(&self, action: &str, input: Value, limit: Duration) -> Result<Value, Failure> {
        let mut done = self.api.post(Question {
            path: &["destinations", &self.destination, "actions", action],
            query: vec![("timeout", limit.as_secs().to_string())],
            body: Some(input),
            more_time: limit,
        })?;
        Ok(done["output"].take())
    }

    /// All collections in one answer, the one that changed last first.
    pub(super) fn list_collections(&self) -> Result<Value, Failure> {
        let mut all = self.act("collections", json!({}), READING)?;
        let mut collections = list(&all, "collections")?.to_vec();
        let mut next = all["next"].take();
        while let Some(after) = next.as_str() {
            let mut page = self.act("collections", json!({ "after": after }), READING)?;
            let found = list(&page, "collections")?;
            collections.extend_from_slice(found);
            // Without this, an answer that does not go on would be asked for again and again.
            next = if found.is_empty() { Value::Null } else { page["next"].take() };
        }
        let received = |it: &Value| it["newest"]["received_at"].as_str().map(str::to_owned);
        collections.sort_by_cached_key(|it| Reverse(received(it)));
        let all = all.as_object_mut().ok_or_else(not_understood)?;
        all.remove("next");
        all.insert("collections".to_owned(), collections.into());
        Ok(Value::Object(mem::take(all)))
    }

    /// The ids of all collections, with their names.
    pub(super) fn collections(&self) -> Result<Vec<(String, String)>, Failure> {
        list(&self.list_collections()?, "collections")?
            .iter()
            .map(|it| {
                let key = it["collection"].as_str().ok_or_else(not_understood)?;
                Ok((key.to_owned(), it["newest"]["name"].as_str().unwrap_or(key).to_owned()))
            })
            .collect()
    }
}

fn only(list: &Value) -> Result<String, Failure> {
    let items = list["items"].as_array().ok_or_else(not_understood)?;
    let names: Vec<&str> =
        items.iter().filter(|it| it["plugin"] == PLUGIN).filter_map(|it| it["name"].as_str()).collect();
    match &names[..] {
        [name] => Ok((*name).to_owned()),
        [] => Err(Failure::new(Exit::NotFound, "the gateway has no destination with the plugin \"backup\"")
            .hint("make one as docs/backups.md says, or name another with --destination")),
        several => {
            let named = several.iter().map(|name| format!("\n      {}", plain(name))).collect::<String>();
            Err(Failure::new(Exit::Usage, "several destinations keep backups")
                .hint(format!("say which with --destination:{named}")))
        }
    }
}

/// A list in an answer.
pub(super) fn list<'a>(answer: &'a Value, name: &str) -> Result<&'a [Value], Failure> {
    answer[name].as_array().map(Vec::as_slice).ok_or_else(not_understood)
}

/// A number in an answer.
pub(super) fn number(answer: &Value, name: &str) -> Result<u64, Failure> {
    answer[name].as_u64().ok_or_else(not_understood)
}

/// A failure to understand what the plugin said: it is of another version, or another plugin.
pub(super) fn not_understood() -> Failure {
    Failure::new(
        Exit::Failed,
        "the destination's answer is not understood: is its plugin of another version?",
    )
}

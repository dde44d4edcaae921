//! Which monitor a person means.

use serde_json::Value;

use super::not_understood;
use crate::{
    command::{Api, Exit, Failure},
    output::plain,
};

/// Most monitors on a page of the API.
const PAGE_MAX: usize = 500;
/// Candidates that are named.
const NAMED_MAX: usize = 10;

/// A monitor that a person means.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Wanted {
    /// Its id or name, or the beginning of either if only one monitor has it
    #[arg(value_name = "MONITOR")]
    monitor: String,
}

/// A monitor that was found.
pub(in crate::commands) struct Found {
    monitor: Value,
    is_whole: bool,
}

impl Found {
    pub(in crate::commands) fn uid(&self) -> String {
        self.monitor["uid"].as_str().unwrap_or_default().to_owned()
    }

    /// The monitor with all there is to say about it.
    pub(super) fn whole(self, api: &Api) -> Result<Value, Failure> {
        if self.is_whole { Ok(self.monitor) } else { api.get(&["monitors", &self.uid()]) }
    }
}

impl Wanted {
    pub(in crate::commands) fn new(monitor: &str) -> Self {
        Self { monitor: monitor.to_owned() }
    }

    /// Finds the one monitor that this can mean: by its id, else by its whole name, else by how either begins.
    pub(in crate::commands) fn find(&self, api: &Api) -> Result<Found, Failure> {
        let wanted = self.monitor.as_str();
        if wanted.trim().is_empty() {
            return Err(Failure::new(Exit::Usage, "the monitor has no name"));
        }
        match api.get(&["monitors", wanted]) {
            Ok(monitor) => return Ok(Found { monitor, is_whole: true }),
            Err(failure) if failure.exit() == Exit::NotFound => {}
            Err(failure) => return Err(failure),
        }
        let query = vec![("text", wanted.to_owned())];
        let (similar, _) = pages(api, &["monitors"], query, PAGE_MAX)?;
        let wanted = wanted.trim().to_lowercase();
        let called = |monitor: &Value, is: fn(&str, &str) -> bool| {
            ["name", "uid"]
                .into_iter()
                .any(|key| monitor[key].as_str().is_some_and(|name| is(&name.trim().to_lowercase(), &wanted)))
        };
        for is in
            [|name: &str, wanted: &str| name == wanted, |name: &str, wanted: &str| name.starts_with(wanted)]
        {
            let mut fits = similar.iter().filter(|monitor| called(monitor, is));
            if let (Some(monitor), None) = (fits.next(), fits.next()) {
                return Ok(Found { monitor: monitor.clone(), is_whole: false });
            }
        }
        Err(self.unclear(&similar))
    }

    fn unclear(&self, similar: &[Value]) -> Failure {
        let wanted = plain(&self.monitor);
        if similar.is_empty() {
            return Failure::new(Exit::NotFound, format!("there is no monitor \"{wanted}\""))
                .hint("`postroom monitors list` names them all");
        }
        let line = |monitor: &Value| {
            let text = |key: &str| plain(monitor[key].as_str().unwrap_or_default());
            format!("\n      {}  {}", text("uid"), text("name"))
        };
        let named: String = similar.iter().take(NAMED_MAX).map(line).collect();
        let rest = similar.len().saturating_sub(NAMED_MAX);
        let rest = if rest == 0 { String::new() } else { format!("\n      and {rest} more") };
        Failure::new(
            Exit::NotFound,
            format!("\"{wanted}\" can mean several monitors, or is a part of a name only"),
        )
        .hint(format!("write the id of one:{named}{rest}"))
    }
}

/// The first `limit` items of a list, and the place of the next one when there are more.
pub(in crate::commands) fn pages(
    api: &Api,
    path: &[&str],
    query: Vec<(&str, String)>,
    limit: usize,
) -> Result<(Vec<Value>, Option<String>), Failure> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let mut query = query.clone();
        query.push(("limit", (limit - items.len()).clamp(1, PAGE_MAX).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut page = api.get_with(path, query)?;
        let Value::Array(more) = page["items"].take() else { return Err(not_understood()) };
        items.extend(more);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() || items.len() >= limit {
            return Ok((items, cursor));
        }
    }
}

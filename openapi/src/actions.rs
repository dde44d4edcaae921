//! The actions of destinations: named operations of their plugins that people start.

use std::{collections::BTreeMap, time::Duration};

use poem_openapi::{
    Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
};
use serde_json::Value;

use crate::{
    auth::{AdminKey, ApiKey},
    json_body::JsonObject,
    port::{Gateway, NewRun},
    problem::Failure,
};

/// A named operation of a plugin, beside delivering.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Action {
    /// Its name, as it is part of the path.
    pub name: String,
    /// What people are shown instead of the name.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whether it destroys or overwrites something: ask a person before it is run.
    pub danger: bool,
    /// JSON Schema of what it takes.
    pub input_schema: Option<BTreeMap<String, Value>>,
    /// JSON Schema of what it gives.
    pub output_schema: Option<BTreeMap<String, Value>>,
}

/// The actions of a destination's plugin.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ActionList {
    /// The actions, in the plugin's order.
    pub items: Vec<Action>,
}

/// An action that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ActionDone {
    /// What it gave.
    pub output: BTreeMap<String, Value>,
}

#[derive(Tags)]
enum Tag {
    /// Plugins with their settings.
    Destinations,
}

fn timeout_default() -> u64 {
    60
}

/// The operations on actions.
pub(crate) struct ActionsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/destinations")]
impl<G: Gateway> ActionsApi<G> {
    /// List the actions of a destination
    ///
    /// Gives what people can have the destination's plugin do beside delivering. The plugin need not run for that.
    #[oai(
        path = "/:name/actions",
        method = "get",
        operation_id = "listDestinationActions",
        tag = "Tag::Destinations"
    )]
    async fn list(
        &self,
        _key: ApiKey<G>,
        /// The destination's name.
        name: Path<String>,
    ) -> Result<Json<ActionList>, Failure> {
        let actions = self.0.actions(&name).await?;
        actions.map(|items| Json(ActionList { items })).ok_or_else(|| Failure::not_found("destination"))
    }

    /// Run an action
    ///
    /// Needs the role admin. Has the destination's plugin carry out an action, beside its deliveries, and gives what it
    /// gives. The body is what the action takes, checked against its schema. At most 4 actions of a destination run at
    /// once. Whoever hangs up cancels the action, and so does the end of its time; what it has done by then stays done.
    #[oai(
        path = "/:name/actions/:action",
        method = "post",
        operation_id = "runDestinationAction",
        tag = "Tag::Destinations"
    )]
    async fn run(
        &self,
        key: AdminKey<G>,
        /// The destination's name.
        name: Path<String>,
        /// The action's name.
        action: Path<String>,
        /// How many seconds it may take.
        #[oai(default = "timeout_default", validator(minimum(value = "1"), maximum(value = "3600")))]
        timeout: Query<u64>,
        input: JsonObject,
    ) -> Result<Json<ActionDone>, Failure> {
        let run = NewRun { action: action.0, input: input.0, time_limit: Duration::from_secs(timeout.0) };
        let output = self.0.run_action(&name, run, &key.0).await?;
        let output = output.ok_or_else(|| Failure::not_found("destination"))?;
        Ok(Json(ActionDone { output: output.into_iter().collect() }))
    }
}

#[cfg(test)]
mod tests;

//! The resource `routes`: which events go where, and what the routes would do with one.

use std::collections::BTreeMap;

use poem_openapi::{Object, OpenApi, Tags, param::Path, payload::Json, types::Example};

use crate::{
    auth::ApiKey,
    events::{Kind, RouteResult, Verdict},
    json_body::JsonBody,
    port::Gateway,
    problem::Failure,
};

/// Largest request of an explanation, in bytes. The body in it is text in JSON, which takes a little more room than the
/// body itself; a larger one is explained by the event that it became.
const TRIAL_BYTES_MAX: usize = 1024 * 1024;

/// A rule that says which events go to which destinations. Every condition that is set must hold; an empty one is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct Route {
    /// Its name in the configuration.
    pub name: String,
    /// Its place among the routes, 1 for the first. All that match apply.
    pub position: u32,
    /// What the event is. Without any, everything that came in.
    pub kinds: Vec<String>,
    /// The source it came in by.
    pub sources: Vec<String>,
    /// Globs that labels must match.
    pub labels: BTreeMap<String, String>,
    /// Globs for the monitor's name or id.
    pub monitor: Vec<String>,
    /// Globs for the collection's name or id.
    pub collection: Vec<String>,
    /// Globs for the environment's name or id.
    pub environment: Vec<String>,
    /// What the run says.
    pub verdict: Vec<String>,
    /// Globs for an activity's action.
    pub action: Vec<String>,
    /// Globs for what an activity touched.
    pub model: Vec<String>,
    /// Anything else, as an expression.
    pub when: Option<String>,
    /// The destinations it sends to.
    pub to: Vec<String>,
}

impl Example for Route {
    fn example() -> Self {
        Self {
            name: "failing payments".to_owned(),
            position: 1,
            kinds: vec!["monitor_run".to_owned()],
            labels: BTreeMap::from([("team".to_owned(), "pay*".to_owned())]),
            verdict: vec!["failed".to_owned()],
            when: Some("monitor.name.startsWith('Smoke')".to_owned()),
            to: vec!["itoc360".to_owned()],
            ..Self::default()
        }
    }
}

/// All routes, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct RouteList {
    /// The routes.
    pub items: Vec<Route>,
}

/// What to try the routes on: an event that is there, or a body that might come in by a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields, example)]
pub struct RouteTrial {
    /// The id of an event. The routes look at it as they are now, which may be otherwise than when it came in.
    pub event_id: Option<String>,
    /// A body, exactly as Postman would send it, as text.
    pub body: Option<String>,
    /// The source that the body would come in by. May be left out when there is only one.
    pub source: Option<String>,
    /// Labels that the request would add to those of the source.
    pub labels: Option<BTreeMap<String, String>>,
}

impl Example for RouteTrial {
    fn example() -> Self {
        Self {
            event_id: None,
            body: Some(r#"{"monitor_name": "Smoke", "metrics": {"failedTests": 1, "errors": 0}}"#.to_owned()),
            source: Some("acme".to_owned()),
            labels: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
        }
    }
}

/// Where an event would go, and why.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct RouteExplanation {
    /// What the event is.
    pub kind: Kind,
    /// What it is about: the id of the monitor or collection. Absent when the body names none.
    pub subject: Option<String>,
    /// Only for monitor runs.
    pub verdict: Option<Verdict>,
    /// Why the body is not recognised, or what is left out.
    pub note: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Every route, whether it takes the event, and why.
    pub routes: Vec<RouteResult>,
    /// Where it would go; nowhere when there is none.
    pub targets: Vec<RouteTarget>,
}

/// Where an event would go.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct RouteTarget {
    /// The destination.
    pub destination: String,
    /// The first route that names it.
    pub route: String,
}

#[derive(Tags)]
enum Tag {
    /// Which events go where.
    Routes,
}

/// The operations on routes.
pub(crate) struct RoutesApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/routes")]
impl<G: Gateway> RoutesApi<G> {
    /// List routes
    ///
    /// Gives every route, in the order in which they are asked.
    #[oai(path = "/", method = "get", operation_id = "listRoutes", tag = "Tag::Routes")]
    async fn list(&self, _key: ApiKey<G>) -> Result<Json<RouteList>, Failure> {
        Ok(Json(RouteList { items: self.0.routes().await? }))
    }

    /// Explain the routes
    ///
    /// Says which routes take an event and which do not, each with its reasons, and where the event would go. It changes
    /// nothing. Give the id of an event, or a body with the source that it would come in by.
    #[oai(path = "/explain", method = "post", operation_id = "explainRoutes", tag = "Tag::Routes")]
    async fn explain(
        &self,
        _key: ApiKey<G>,
        trial: JsonBody<RouteTrial, TRIAL_BYTES_MAX>,
    ) -> Result<Json<RouteExplanation>, Failure> {
        Ok(Json(self.0.explain_routes(trial.0).await?))
    }

    /// Get a route
    ///
    /// Gives one route. A route called `explain` is in the list only.
    #[oai(path = "/:name", method = "get", operation_id = "getRoute", tag = "Tag::Routes")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The route's name.
        name: Path<String>,
    ) -> Result<Json<Route>, Failure> {
        let route = self.0.routes().await?.into_iter().find(|route| route.name == *name);
        route.map(Json).ok_or_else(|| Failure::not_found("route"))
    }
}

#[cfg(test)]
mod tests;

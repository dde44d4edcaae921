//! The sources, routes, settings and figures of the fake.

use poem_openapi::types::Example as _;

use super::{Fake, SOURCE};
use crate::{
    config::{ConfigurationCheck, ConfigurationFault, ConfigurationInForce, Setting},
    dead_letters::{DeadLetterGroup, DeadLetterList},
    events::{Kind, RouteResult, Verdict},
    port::{ActionError, Gateway as _, ReadError, Setup},
    routes::{Route, RouteExplanation, RouteTarget, RouteTrial},
    sources::Source,
    stats::Stats,
};

impl Setup for Fake {
    async fn sources(&self) -> Result<Vec<Source>, ReadError> {
        Ok(vec![Source::example()])
    }

    async fn source(&self, name: &str) -> Result<Option<Source>, ReadError> {
        Ok(Some(Source::example()).filter(|source| source.name == name))
    }

    async fn routes(&self) -> Result<Vec<Route>, ReadError> {
        Ok(vec![Route::example()])
    }

    async fn explain_routes(&self, trial: RouteTrial) -> Result<RouteExplanation, ActionError> {
        self.remember(format!("{trial:?}"));
        if trial.source.is_some_and(|source| source != SOURCE) {
            return Err(ActionError::BadField {
                name: "source",
                reason: "there is no such source".to_owned(),
            });
        }
        let reasons = vec!["kinds: monitor_run is one of monitor_run".to_owned()];
        Ok(RouteExplanation {
            kind: Kind::MonitorRun,
            subject: None,
            verdict: Some(Verdict::Failed),
            note: None,
            labels: trial.labels.unwrap_or_default(),
            routes: vec![RouteResult { name: "runs".to_owned(), matched: true, reasons }],
            targets: vec![RouteTarget { destination: "itoc360".to_owned(), route: "runs".to_owned() }],
        })
    }

    async fn config(&self) -> Result<ConfigurationInForce, ReadError> {
        let crate::reload::Configuration { generation, fingerprint } = self.configuration();
        Ok(ConfigurationInForce {
            generation,
            fingerprint,
            file: "postroom.toml".to_owned(),
            settings: vec![Setting::example()],
        })
    }

    async fn check_config(&self, toml: String) -> Result<ConfigurationCheck, ReadError> {
        let faults = if toml.is_empty() { Vec::new() } else { vec![ConfigurationFault::example()] };
        Ok(ConfigurationCheck { valid: faults.is_empty(), faults })
    }

    async fn stats(&self) -> Result<Stats, ReadError> {
        Ok(Stats::example())
    }

    async fn dead_letters(&self) -> Result<DeadLetterList, ReadError> {
        Ok(DeadLetterList { items: vec![DeadLetterGroup::example()], is_more: false })
    }
}

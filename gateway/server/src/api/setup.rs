//! What the gateway is set up as, and how it does as a whole.

mod figures;
mod settings;

use postroom_core::{event::Event, id::EventId, route::decide};
use postroom_openapi::{
    config::{ConfigurationCheck, ConfigurationInForce},
    dead_letters::DeadLetterList,
    port::{ActionError, ReadError, Setup},
    routes::{Route, RouteExplanation, RouteTarget, RouteTrial},
    sources::{Source, SourceEvent},
    stats::Stats,
};
use postroom_store::{EventFilter, PageRequest};

use super::{
    Api,
    errors::{unreadable, unseen},
    wire,
};
use crate::{
    config::{self, nearest},
    reload::Shown,
    trial,
};

impl Setup for Api {
    async fn sources(&self) -> Result<Vec<Source>, ReadError> {
        let shown = self.0.reloader.shown();
        Ok(shown.config.sources.iter().map(|source| self.source_of(&shown, source)).collect())
    }

    async fn source(&self, name: &str) -> Result<Option<Source>, ReadError> {
        let shown = self.0.reloader.shown();
        let Some(source) = shown.config.sources.iter().find(|source| source.name.as_str() == name) else {
            return Ok(None);
        };
        let filter = EventFilter { source: Some(source.name.clone()), ..EventFilter::default() };
        let newest = PageRequest { before: None, limit: 1 };
        let found = self.0.store.events(filter, newest).await.map_err(unreadable)?;
        let last_event = found.items.into_iter().next().map(|record| SourceEvent {
            id: record.event.id.to_string(),
            received_at: wire::moment(record.event.received_at),
        });
        Ok(Some(Source { last_event, ..self.source_of(&shown, source) }))
    }

    async fn routes(&self) -> Result<Vec<Route>, ReadError> {
        let shown = self.0.reloader.shown();
        let positions = 1..;
        Ok(positions
            .zip(&shown.config.routes)
            .map(|(position, route)| wire::route(position, route))
            .collect())
    }

    async fn explain_routes(&self, trial: RouteTrial) -> Result<RouteExplanation, ActionError> {
        let shown = self.0.reloader.shown();
        let event = self.tried(&shown, trial).await?;
        let decision = decide(&shown.config.routes, &event);
        let routes = decision.explanations.iter().map(wire::route_result);
        let targets = decision.targets.iter().map(|target| RouteTarget {
            destination: target.destination.to_string(),
            route: target.route.to_string(),
        });
        Ok(RouteExplanation {
            kind: wire::kind(event.kind),
            subject: event.subject,
            verdict: event.verdict.map(wire::verdict),
            note: event.note,
            labels: event.labels,
            routes: routes.collect(),
            targets: targets.collect(),
        })
    }

    async fn config(&self) -> Result<ConfigurationInForce, ReadError> {
        Ok(self.settings_in_force())
    }

    async fn check_config(&self, toml: String) -> Result<ConfigurationCheck, ReadError> {
        self.checked(toml).await
    }

    async fn stats(&self) -> Result<Stats, ReadError> {
        self.figures().await
    }

    async fn dead_letters(&self) -> Result<DeadLetterList, ReadError> {
        let found = self.dead_letters_found().await?;
        Ok(wire::dead_letters(&found))
    }
}

impl Api {
    fn source_of(&self, shown: &Shown, source: &config::Source) -> Source {
        let name = source.name.as_str();
        let accepted = figures::kinds(shown).map(|kind| self.0.counters.events_of(name, kind)).sum();
        Source {
            name: name.to_owned(),
            path: format!("/hooks/{name}"),
            url: shown.config.server.hook_url(name),
            tokens: u32::try_from(source.tokens.len()).unwrap_or(u32::MAX),
            body_bytes_max: source.body_bytes_max,
            requests_per_second: source.requests_per_second,
            labels: source.labels.clone(),
            accepted,
            repeated: self.0.counters.repeated_of(name),
            last_event: None,
        }
    }

    /// The event that the routes are to be tried on.
    async fn tried(&self, shown: &Shown, trial: RouteTrial) -> Result<Event, ActionError> {
        let bad = |name, reason: &str| ActionError::BadField { name, reason: reason.to_owned() };
        let RouteTrial { event_id, body, source, labels } = trial;
        match (event_id, body) {
            (Some(id), None) => {
                if source.is_some() || labels.is_some() {
                    return Err(bad("event_id", "an event has its own source and labels: leave these out"));
                }
                let id = id.parse::<EventId>().map_err(|error| bad("event_id", &error.to_string()))?;
                let found = self.0.store.event(id).await.map_err(unreadable).map_err(unseen)?;
                let record = found.ok_or_else(|| bad("event_id", "there is no event with this id"))?;
                Ok(record.event)
            }
            (None, Some(body)) => {
                let source = source_for(shown, source.as_deref()).map_err(|reason| bad("source", &reason))?;
                Ok(trial::event(source, labels.unwrap_or_default(), body.as_bytes()))
            }
            _ => Err(bad("event_id", "give either the id of an event or a body")),
        }
    }
}

fn source_for<'a>(shown: &'a Shown, name: Option<&str>) -> Result<&'a config::Source, String> {
    let sources = &shown.config.sources;
    let Some(name) = name else {
        return match &sources[..] {
            [only] => Ok(only),
            _ => Err("say by which source the body would come in".to_owned()),
        };
    };
    sources.iter().find(|source| source.name.as_str() == name).ok_or_else(|| {
        let hint = nearest::hint(name, sources.iter().map(|source| source.name.as_str()));
        format!("there is no such source; {}", hint.as_deref().unwrap_or("the configuration has none"))
    })
}

//! The resource `health`: what a supervisor and a load balancer ask.

use poem_openapi::{Object, OpenApi, Tags, payload::Json};

use crate::{
    port::{Gateway, Readiness},
    problem::{Code, Failure},
    reload::Configuration,
};

/// A good answer to a health question.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Health {
    /// `live` or `ready`.
    pub status: String,
    /// The gateway's version.
    pub version: String,
    /// Counts the configurations since the start of the gateway; the first is 1.
    pub generation: u64,
    /// Tells configurations apart that mean different things. Nothing of a secret is in it.
    pub fingerprint: String,
}

impl Health {
    fn of(status: &str, gateway: &impl Gateway) -> Json<Self> {
        let Configuration { generation, fingerprint } = gateway.configuration();
        let (status, version) = (status.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        Json(Self { status, version, generation, fingerprint })
    }
}

#[derive(Tags)]
enum Tag {
    /// Is it alive, is it ready, how is it doing.
    Health,
}

/// The operations on health.
pub(crate) struct HealthApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/health")]
impl<G: Gateway> HealthApi<G> {
    /// Ask whether the gateway is alive
    ///
    /// Answers as long as the process can. A supervisor restarts it when this fails.
    #[oai(path = "/live", method = "get", operation_id = "getLiveness", tag = "Tag::Health")]
    async fn live(&self) -> Result<Json<Health>, Failure> {
        Ok(Health::of("live", &self.0))
    }

    /// Ask whether the gateway is ready
    ///
    /// Answers 200 when events are taken and delivered, and 503 with `reasons` when not. A load balancer sends
    /// requests elsewhere while this fails.
    #[oai(path = "/ready", method = "get", operation_id = "getReadiness", tag = "Tag::Health")]
    async fn ready(&self) -> Result<Json<Health>, Failure> {
        match self.0.readiness().await {
            Readiness::Ready => Ok(Health::of("ready", &self.0)),
            Readiness::NotReady { reasons } => {
                Err(Failure::new(Code::NotReady, "not ready for events; `reasons` says what is missing")
                    .with_reasons(reasons))
            }
        }
    }
}

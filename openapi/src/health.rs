//! The resource `health`: what a supervisor and a load balancer ask.

use poem_openapi::{Object, OpenApi, Tags, payload::Json};

use crate::{
    port::{Gateway, Readiness},
    problem::{Code, Failure},
};

/// A good answer to a health question.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Health {
    /// `live` or `ready`.
    pub status: String,
    /// The gateway's version.
    pub version: String,
}

impl Health {
    fn of(status: &str) -> Json<Self> {
        Json(Self { status: status.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
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
        Ok(Health::of("live"))
    }

    /// Ask whether the gateway is ready
    ///
    /// Answers 200 when events are taken and delivered, and 503 with `reasons` when not. A load balancer sends
    /// requests elsewhere while this fails.
    #[oai(path = "/ready", method = "get", operation_id = "getReadiness", tag = "Tag::Health")]
    async fn ready(&self) -> Result<Json<Health>, Failure> {
        match self.0.readiness().await {
            Readiness::Ready => Ok(Health::of("ready")),
            Readiness::NotReady { reasons } => {
                Err(Failure::new(Code::NotReady, "not ready for events; `reasons` says what is missing")
                    .with_reasons(reasons))
            }
        }
    }
}

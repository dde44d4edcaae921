//! The complete HTTP surface.

use poem::{Endpoint, IntoEndpoint as _, Request, Response};
use poem_openapi::{OpenApi as _, OpenApiService, registry::Registry};

use crate::{
    actions::ActionsApi, audit::AuditApi, body::Budget, config::ConfigApi, dead_letters::DeadLettersApi,
    deliveries::DeliveriesApi, destinations::DestinationsApi, docs_ui::DocsUi, document::NoGateway,
    edge::Edge, events::EventsApi, health::HealthApi, hooks::HooksApi, incidents::IncidentsApi,
    keys::KeysApi, metrics::MetricsApi, monitors::MonitorsApi, operations::Operations, plugins::PluginsApi,
    port::Gateway, reload::ReloadApi, replays::ReplaysApi, routes::RoutesApi, session::SessionApi,
    sources::SourcesApi, stats::StatsApi, stream::StreamApi,
};

/// Every resource. This list is the API: the document and the routing both come from it.
pub(crate) type Apis<G> = (
    HooksApi<G>,
    EventsApi<G>,
    DeliveriesApi<G>,
    ReplaysApi<G>,
    MonitorsApi<G>,
    IncidentsApi<G>,
    SetupApis<G>,
    DestinationsApi<G>,
    ActionsApi<G>,
    PluginsApi<G>,
    ReloadApi<G>,
    AccessApis<G>,
    StreamApi<G>,
    HealthApi<G>,
    MetricsApi<G>,
);

/// What a gateway is set up as, and how it does. Together, because one list holds no more than sixteen.
type SetupApis<G> = (SourcesApi<G>, RoutesApi<G>, ConfigApi<G>, StatsApi<G>, DeadLettersApi<G>);

fn setup<G: Gateway>(gateway: &G) -> SetupApis<G> {
    let gateway = || gateway.clone();
    (
        SourcesApi(gateway()),
        RoutesApi(gateway()),
        ConfigApi(gateway()),
        StatsApi(gateway()),
        DeadLettersApi(gateway()),
    )
}

/// Who may use the API, and who did.
type AccessApis<G> = (KeysApi<G>, AuditApi<G>, SessionApi<G>);

/// Makes the complete HTTP surface of a gateway: all operations, `/openapi.json` and `/docs`. Errors are answered, so
/// the endpoint itself never fails.
///
/// `hook_bodies_bytes_max` is what the bodies of all hooks may take in memory together, from the first byte until they
/// are stored; what would go beyond is answered 503. It should be well above the largest piece of a body that is in
/// memory at once: one that does not fit alone is told to come back for ever.
pub fn endpoint<G: Gateway>(
    gateway: G,
    hook_bodies_bytes_max: usize,
) -> impl Endpoint<Output = Response> + 'static {
    let apis: Apis<G> = (
        HooksApi { gateway: gateway.clone(), bodies: Budget::new(hook_bodies_bytes_max) },
        EventsApi(gateway.clone()),
        DeliveriesApi(gateway.clone()),
        ReplaysApi(gateway.clone()),
        MonitorsApi(gateway.clone()),
        IncidentsApi(gateway.clone()),
        setup(&gateway),
        DestinationsApi(gateway.clone()),
        ActionsApi(gateway.clone()),
        PluginsApi(gateway.clone()),
        ReloadApi(gateway.clone()),
        (KeysApi(gateway.clone()), AuditApi(gateway.clone()), SessionApi(gateway.clone())),
        StreamApi(gateway.clone()),
        HealthApi(gateway.clone()),
        MetricsApi(gateway.clone()),
    );
    let mut schemas = Registry::new();
    Apis::<NoGateway>::register(&mut schemas);
    let operations = Operations::of(Apis::<NoGateway>::meta(), &schemas);
    let operations = DocsUi::add_operations(operations);
    let api = OpenApiService::new(apis, "", "").into_endpoint();
    Edge { inner: Surface { api, docs: DocsUi::new() }, gateway, operations }
}

/// The API beside its documentation. A plain test of the path, because a router around the API's own router would be
/// asked once more for every hook.
struct Surface<A> {
    api: A,
    docs: DocsUi,
}

impl<A: Endpoint<Output = Response>> Endpoint for Surface<A> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if DocsUi::owns(request.uri().path()) {
            // Apart: its state is large, and every hook would carry room for it along.
            Box::pin(self.docs.call(request)).await
        } else {
            self.api.call(request).await
        }
    }
}

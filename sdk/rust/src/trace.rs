//! `tracing`, forwarded to the gateway's log.
//!
//! Nothing is to be set up: on the threads of an instance, what the plugin's own crate writes with `tracing`'s macros
//! becomes a line of the gateway's log, with its fields, those of the spans around it, and inside of `deliver` the
//! delivery. Of other crates only warnings and errors pass: what a network library tells at lower levels may be the
//! headers of a request, and so a secret.
//!
//! ```
//! # use postroom_sdk::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin};
//! # #[derive(serde::Deserialize)] struct Config {}
//! # struct Pager;
//! # impl Plugin for Pager {
//! #     type Config = Config;
//! #     async fn create(_: Host, _: Config) -> Result<Self, CreateError> { Ok(Self) }
//! async fn deliver(&self, event: &Event, _: &Delivery) -> Result<Outcome, Failure> {
//!     tracing::info!(bytes = event.body().len(), "paging");
//!     Ok(Outcome::delivered())
//! }
//! # }
//! # use postroom_sdk::testing::{EventFixture, PluginHarness};
//! # let harness = PluginHarness::<Pager>::builder().start().unwrap();
//! # assert_eq!(harness.deliver(&EventFixture::raw("x", "12345")).message, "");
//! # let logs = harness.logs();
//! # assert_eq!((logs[0].message.as_str(), logs[0].fields_json.as_str()), ("paging", r#"{"bytes":5}"#));
//! ```

use std::{
    any::type_name,
    cell::Cell,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use serde_json::{Map, Value};
use tracing::{
    Dispatch, Event, Metadata, Subscriber, dispatcher,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{self, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::{
    host::Host,
    log::{Level, Log},
    plugin::Plugin,
};

thread_local! {
    /// The delivery whose code runs on this thread; 0 outside of all.
    static TOKEN: Cell<u64> = const { Cell::new(0) };
}

/// Forwards what `tracing` is told to the gateway's log.
///
/// The SDK has one on every thread of an instance. Make another for a thread of the plugin's own, or to combine it with
/// other layers:
///
/// ```
/// use postroom_sdk::{Host, trace::LogLayer};
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// fn watch(host: &Host) -> std::thread::JoinHandle<()> {
///     let subscriber = tracing_subscriber::registry().with(LogLayer::new(host, env!("CARGO_CRATE_NAME")));
///     std::thread::spawn(move || {
///         tracing::subscriber::with_default(subscriber, || tracing::info!("watching"));
///     })
/// }
/// ```
#[derive(Debug)]
pub struct LogLayer {
    log: Log,
    own: String,
}

impl LogLayer {
    /// A layer that lets everything of the crate `own` through, and warnings of all others.
    #[must_use]
    pub fn new(host: &Host, own: &str) -> Self {
        Self { log: host.log().clone(), own: own.to_owned() }
    }

    fn is_own(&self, target: &str) -> bool {
        let rest = target.strip_prefix(self.own.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    /// Asked each time: the operator may change the level while the plugin runs.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: layer::Context<'_, S>) -> bool {
        let loud = *metadata.level() <= tracing::Level::WARN;
        (loud || self.is_own(metadata.target())) && self.log.enabled(level(metadata.level()))
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: layer::Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            drop(span.extensions_mut().replace(fields));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: layer::Context<'_, S>) {
        // Before the span is locked: formatting a value is the author's code, which may log inside this span.
        let mut fresh = Fields::default();
        values.record(&mut fresh);
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            fields.0.extend(fresh.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        let message = match fields.0.remove("message") {
            Some(Value::String(message)) => message,
            Some(other) => other.to_string(),
            None => event.metadata().name().to_owned(),
        };
        let metadata = event.metadata();
        self.log.forward(level(metadata.level()), TOKEN.get(), metadata.target(), &message, fields.0);
    }
}

fn level(level: &tracing::Level) -> Level {
    match *level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

/// Fields as the members of a JSON object.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// What every thread of an instance of `P` does first: forward to the log of `host` for as long as it lives.
pub(crate) fn on_thread_start<P: Plugin>(host: &Host) -> impl Fn() + Send + Sync + use<P> {
    let own = type_name::<P>().split("::").next().unwrap_or_default();
    let dispatch = Dispatch::new(Registry::default().with(LogLayer::new(host, own)));
    // The guard would end it before the thread does.
    move || mem::forget(dispatcher::set_default(&dispatch))
}

/// Says during each poll of the future inside which delivery it belongs to.
pub(crate) struct InDelivery<F> {
    token: u64,
    inner: F,
}

impl<F> InDelivery<F> {
    pub(crate) fn new(token: u64, inner: F) -> Self {
        Self { token, inner }
    }
}

impl<F: Future + Unpin> Future for InDelivery<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // The future inside catches its panics, so that the token is always taken back.
        let before = TOKEN.replace(self.token);
        let polled = Pin::new(&mut self.inner).poll(cx);
        TOKEN.set(before);
        polled
    }
}

#[cfg(test)]
mod tests;

//! What the gateway must be able to do so that the API can be offered: the only way from here to the rest.
//!
//! The handlers are generic over [`Gateway`], so the document is built without an engine or a store, and a test
//! stands on a small fake. All types here are the API's own wire types; the implementer converts.

use std::{future::Future, net::IpAddr, time::Duration};

use serde_json::{Map, Value};

use crate::{
    actions::Action,
    auth::{Caller, Credential},
    deliveries::{Delivery, DeliveryFilter},
    destinations::Destination,
    events::{Event, EventBody, EventFilter},
    hooks::Accepted,
    page::{Page, PageRequest},
    plugins::PluginList,
    reload::{Configuration, Reload},
    replays::Replay,
};

mod access;
mod follow;
mod hook;
mod monitors;
mod setup;
mod stream;

pub use access::{Access, AccessRefusal};
pub use follow::Follows;
pub use hook::{Admission, Hook, HookBody, HookRefusal, Upload};
pub use monitors::Monitors;
pub use setup::Setup;
pub use stream::{FollowError, Reader, Step, Streams, Told};

/// The gateway as the API sees it. A clone is a handle to the same gateway and must be cheap.
pub trait Gateway: Access + Follows + Monitors + Setup + Streams {
    /// A source that has let a caller in. The gateway makes it in [`admit`](Self::admit) and gets it back in
    /// [`accept`](Self::accept), so that nothing is stored for a caller who was not admitted.
    type Source: Send + Sync;

    /// A body that is on its way to the disk.
    type Upload: Upload;

    /// Decides whether a caller may send a body to a source, before any of the body is read.
    ///
    /// `token` is what the caller presented, if anything; `peer` is the address of the connection.
    ///
    /// # Errors
    /// [`HookRefusal::Unauthorized`] for an unknown source as well as for a wrong or missing token, after the same work.
    fn admit(
        &self,
        source: &str,
        token: Option<&Credential>,
        peer: Option<IpAddr>,
    ) -> impl Future<Output = Result<Admission<Self::Source>, HookRefusal>> + Send;

    /// Hears why the body of an admitted caller was not taken, also when the caller went away before its end: Postman
    /// does not send again, and nobody sees what it was answered. `reason` is one of a few sentences, with limits and
    /// without anything that the caller wrote. Must not block.
    fn refused(&self, source: &Self::Source, reason: &str);

    /// Begins to keep a body that is too large for memory.
    ///
    /// # Errors
    /// A refusal means that nothing was kept.
    fn begin_upload(&self) -> impl Future<Output = Result<Self::Upload, HookRefusal>> + Send;

    /// Stores a body and its deliveries. When this returns `Ok`, both survive a crash.
    ///
    /// # Errors
    /// A refusal means that nothing was kept.
    fn accept(
        &self,
        source: Self::Source,
        hook: Hook<Self::Upload>,
    ) -> impl Future<Output = Result<Accepted, HookRefusal>> + Send;

    /// Lists events, newest first, without `deliveries` and `routes`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Event>, ReadError>> + Send;

    /// Gives one event with its `deliveries` and `routes`; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn event(&self, id: &str) -> impl Future<Output = Result<Option<Event>, ReadError>> + Send;

    /// Gives the body of an event exactly as it came in.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn event_body(&self, id: &str) -> impl Future<Output = Result<Option<EventBody>, ReadError>> + Send;

    /// Lists deliveries, newest first, without `attempts`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn deliveries(
        &self,
        filter: DeliveryFilter,
        replay_id: Option<String>,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Delivery>, ReadError>> + Send;

    /// Gives one delivery with its `attempts`, oldest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn delivery(&self, id: &str) -> impl Future<Output = Result<Option<Delivery>, ReadError>> + Send;

    /// Delivers once more: of a delivery and those that did it again the newest, a finished one by a new one, a waiting one
    /// by making it due. Gives the delivery that goes now; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn retry_delivery(
        &self,
        id: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Delivery>, ActionError>> + Send;

    /// Stops a delivery. One that the plugin has now is asked to end, and how it ended shows later. Gives the delivery;
    /// `None` when there is none with this id.
    ///
    /// # Errors
    /// [`ActionError::Conflict`] when it ended in another way before.
    fn cancel_delivery(
        &self,
        id: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Delivery>, ActionError>> + Send;

    /// Counts the finished deliveries that match and were not done again already.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn count_replay(&self, filter: DeliveryFilter) -> impl Future<Output = Result<u64, ActionError>> + Send;

    /// Begins to deliver once more what [`count_replay`](Self::count_replay) counts, at most `per_second` in a second; the
    /// gateway decides how many when it is `None`.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn begin_replay(
        &self,
        filter: DeliveryFilter,
        per_second: Option<u32>,
        by: &Caller,
    ) -> impl Future<Output = Result<Replay, ActionError>> + Send;

    /// Lists replays, newest first, without `progress`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn replays(&self, page: PageRequest) -> impl Future<Output = Result<Page<Replay>, ReadError>> + Send;

    /// Gives one replay with its `progress`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn replay(&self, id: &str) -> impl Future<Output = Result<Option<Replay>, ReadError>> + Send;

    /// Ends a replay: it makes no more deliveries, and those it has made go on. One that has ended stays as it is.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn cancel_replay(
        &self,
        id: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Replay>, ActionError>> + Send;

    /// Lists all destinations in the order of the configuration.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn destinations(&self) -> impl Future<Output = Result<Vec<Destination>, ReadError>> + Send;

    /// Gives the destination of this name.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn destination(&self, name: &str) -> impl Future<Output = Result<Option<Destination>, ReadError>> + Send;

    /// Holds a destination back until it is resumed, also over a restart.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn pause_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Destination>, ActionError>> + Send;

    /// Lets a destination go on, whatever held it back.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn resume_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Destination>, ActionError>> + Send;

    /// Lists the actions of a destination's plugin; `None` when there is no destination of this name.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn actions(
        &self,
        destination: &str,
    ) -> impl Future<Output = Result<Option<Vec<Action>>, ReadError>> + Send;

    /// Has a destination's plugin carry out an action, and gives its output; `None` when there is no destination of this
    /// name. Dropping the future cancels the action.
    ///
    /// # Errors
    /// See [`RunError`].
    fn run_action(
        &self,
        destination: &str,
        action: NewRun,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Map<String, Value>>, RunError>> + Send;

    /// Looks for plugins where the configuration says.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn plugins(&self) -> impl Future<Output = Result<PluginList, ReadError>> + Send;

    /// Has a destination go over to the plugin file that is there now.
    ///
    /// # Errors
    /// See [`ActionError`]; what ran before goes on.
    fn reload_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Destination>, ActionError>> + Send;

    /// Reads the configuration again and goes over to it.
    ///
    /// # Errors
    /// See [`ActionError`]; nothing has changed.
    fn reload_configuration(&self, by: &Caller) -> impl Future<Output = Result<Reload, ActionError>> + Send;

    /// Says which configuration is in force.
    fn configuration(&self) -> Configuration;

    /// Says whether the gateway can take and deliver events now.
    fn readiness(&self) -> impl Future<Output = Readiness> + Send;

    /// Gives all metrics in the OpenMetrics text format 1.0.0.
    fn metrics(&self) -> impl Future<Output = String> + Send;

    /// Counts an answered request. Called once for each, after the answer is made; must not block.
    fn observe(&self, seen: RequestSeen);
}

/// Why a question could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A parameter has a value that cannot be meant, such as a cursor that was not made here.
    #[error("parameter `{name}`: {reason}")]
    BadParameter {
        /// The parameter as the caller spells it.
        name: &'static str,
        /// What is wrong with it, without repeating it.
        reason: String,
    },
    /// The body of an event is missing in the store, or is not what came in.
    #[error("the stored body of this event is missing or was changed; only a backup has it")]
    BodyLost,
    /// The store cannot be read now.
    #[error("the store cannot be read now: {reason}")]
    Unavailable {
        /// Why, in words fit for the caller.
        reason: String,
    },
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// What it is about does not stand so that it could be done.
    #[error("{reason}")]
    Conflict {
        /// How it stands.
        reason: String,
    },
    /// A field of the request has a value that cannot be meant.
    #[error("field `{name}`: {reason}")]
    BadField {
        /// The field as the caller spells it.
        name: &'static str,
        /// What is wrong with it, without repeating it.
        reason: String,
    },
    /// The configuration has faults, or a plugin does not run with it.
    #[error("{what}; `reasons` says why")]
    Faulty {
        /// What was not done.
        what: String,
        /// What is wrong, one line for each fault.
        reasons: Vec<String>,
    },
    /// The store or the dispatcher cannot do it now.
    #[error("not done, try again later: {reason}")]
    Unavailable {
        /// Why, in words fit for the caller.
        reason: String,
    },
}

/// An action that somebody wants carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// The action's name.
    pub action: String,
    /// What it takes.
    pub input: Map<String, Value>,
    /// How long it may take.
    pub time_limit: Duration,
}

/// Why an action gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The plugin has no such action.
    #[error("no such action")]
    UnknownAction,
    /// The input is not what the action takes.
    #[error("the input is not what this action takes")]
    Input {
        /// One sentence for each fault, with its place as a JSON pointer in front.
        reasons: Vec<String>,
    },
    /// The input is too large.
    #[error("the input is larger than the {bytes_max} bytes that an action takes")]
    InputTooLarge {
        /// Most bytes of it as JSON.
        bytes_max: usize,
    },
    /// Something that the input names is not there.
    #[error("{reason}")]
    NotFound {
        /// The plugin's words.
        reason: String,
    },
    /// The plugin does not do it as things stand.
    #[error("{reason}")]
    Refused {
        /// The plugin's words.
        reason: String,
    },
    /// The plugin cannot do it now, or does not run.
    #[error("{reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// It was not done in time.
    #[error("{reason}")]
    TimedOut {
        /// How long it had.
        reason: String,
    },
    /// The plugin failed.
    #[error("{reason}")]
    Failed {
        /// How.
        reason: String,
    },
}

/// Whether the gateway can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Events are taken and delivered.
    Ready,
    /// Something is missing; each reason is one short sentence.
    NotReady {
        /// What is missing.
        reasons: Vec<String>,
    },
}

/// A request that has been answered. Holds nothing a stranger wrote, so it can label a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSeen {
    /// The operation's id in the document, such as `receiveHook`; [`NO_OPERATION`] when the path or method has none.
    pub operation: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// From the end of the request's header to the start of the answer.
    pub duration: Duration,
}

/// The operation of a [`RequestSeen`] that asked for nothing we offer.
pub const NO_OPERATION: &str = "none";

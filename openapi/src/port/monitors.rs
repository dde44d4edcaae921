//! What the gateway knows of monitors and incidents.

use std::future::Future;

use super::{ActionError, ReadError};
use crate::{
    auth::Caller,
    incidents::{Incident, IncidentFilter},
    monitors::{
        BucketRequest, ForgottenMonitor, Monitor, MonitorFilter, MonitorRun, MuteUntil, RunRange, RunStream,
        RunSums,
    },
    page::{Page, PageRequest},
};

/// The monitors that runs have come from.
pub trait Monitors: Clone + Send + Sync + 'static {
    /// Lists monitors in the order of their names, without `last_run` and `slo`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn monitors(
        &self,
        filter: MonitorFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Monitor>, ReadError>> + Send;

    /// Gives the monitor with this id, whole.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn monitor(&self, uid: &str) -> impl Future<Output = Result<Option<Monitor>, ReadError>> + Send;

    /// Lists runs of a monitor, newest first; `None` when there is no such monitor.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn monitor_runs(
        &self,
        uid: &str,
        range: RunRange,
        page: PageRequest,
    ) -> impl Future<Output = Result<Option<Page<MonitorRun>>, ReadError>> + Send;

    /// Gives the runs of a monitor summed up; `None` when there is no such monitor.
    ///
    /// # Errors
    /// See [`ReadError`]; a time zone that does not exist and a range of too many sums are bad parameters.
    fn run_buckets(
        &self,
        uid: &str,
        request: BucketRequest,
    ) -> impl Future<Output = Result<Option<RunSums>, ReadError>> + Send;

    /// Begins to read all runs of a range, oldest first; `None` when there is no such monitor.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn run_stream(
        &self,
        uid: &str,
        range: RunRange,
    ) -> impl Future<Output = Result<Option<RunStream>, ReadError>> + Send;

    /// Has nothing told of a monitor for a while. Gives the monitor; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn mute_monitor(
        &self,
        uid: &str,
        until: MuteUntil,
        reason: Option<String>,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Monitor>, ActionError>> + Send;

    /// Ends the mute of a monitor, if it has one. Gives the monitor; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn unmute_monitor(
        &self,
        uid: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<Monitor>, ActionError>> + Send;

    /// Removes a monitor with its runs, and ends what is open of it. Says what it was; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn forget_monitor(
        &self,
        uid: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<ForgottenMonitor>, ActionError>> + Send;

    /// Lists incidents, newest first, without `timeline`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn incidents(
        &self,
        filter: IncidentFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Incident>, ReadError>> + Send;

    /// Gives one incident with its `timeline`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn incident(&self, id: &str) -> impl Future<Output = Result<Option<Incident>, ReadError>> + Send;
}

//! It follows no monitors.

use postroom_openapi::{
    auth::Caller,
    incidents::{Incident, IncidentFilter},
    monitors::{
        BucketRequest, ForgottenMonitor, Monitor, MonitorFilter, MonitorRun, MuteUntil, RunRange, RunStream,
        RunSums,
    },
    page::{Page, PageRequest},
    port::{ActionError, Monitors, ReadError},
};

use super::{Noop, empty};

impl Monitors for Noop {
    async fn monitors(&self, _: MonitorFilter, _: PageRequest) -> Result<Page<Monitor>, ReadError> {
        Ok(empty())
    }

    async fn monitor(&self, _: &str) -> Result<Option<Monitor>, ReadError> {
        Ok(None)
    }

    async fn monitor_runs(
        &self,
        _: &str,
        _: RunRange,
        _: PageRequest,
    ) -> Result<Option<Page<MonitorRun>>, ReadError> {
        Ok(None)
    }

    async fn run_buckets(&self, _: &str, _: BucketRequest) -> Result<Option<RunSums>, ReadError> {
        Ok(None)
    }

    async fn run_stream(&self, _: &str, _: RunRange) -> Result<Option<RunStream>, ReadError> {
        Ok(None)
    }

    async fn mute_monitor(
        &self,
        _: &str,
        _: MuteUntil,
        _: Option<String>,
        _: &Caller,
    ) -> Result<Option<Monitor>, ActionError> {
        Ok(None)
    }

    async fn unmute_monitor(&self, _: &str, _: &Caller) -> Result<Option<Monitor>, ActionError> {
        Ok(None)
    }

    async fn forget_monitor(&self, _: &str, _: &Caller) -> Result<Option<ForgottenMonitor>, ActionError> {
        Ok(None)
    }

    async fn incidents(&self, _: IncidentFilter, _: PageRequest) -> Result<Page<Incident>, ReadError> {
        Ok(empty())
    }

    async fn incident(&self, _: &str) -> Result<Option<Incident>, ReadError> {
        Ok(None)
    }
}

//! The monitors and incidents of the fake.

use futures_util::{StreamExt as _, stream};
use poem_openapi::types::Example as _;

use super::Fake;
use crate::{
    auth::Caller,
    events::Verdict,
    incidents::{Incident, IncidentFilter},
    monitors::{
        BucketRequest, ForgottenMonitor, Monitor, MonitorFilter, MonitorRun, Mute, MuteUntil, RunBucket,
        RunRange, RunStream, RunSums,
    },
    page::{Page, PageRequest},
    port::{ActionError, Monitors, ReadError},
    time::Timestamp,
};

/// A monitor whose runs break off in the middle when they are read.
pub(crate) const BREAKS_OFF: &str = "7";

fn monitor(number: usize) -> Monitor {
    Monitor { uid: number.to_string(), name: Some(format!("=monitor \"{number}\"")), ..Monitor::example() }
}

fn incident(number: usize) -> Incident {
    Incident { id: number.to_string(), ..Incident::example() }
}

fn run(number: usize) -> MonitorRun {
    if number % 2 == 1 {
        return MonitorRun { event_id: number.to_string(), ..MonitorRun::example() };
    }
    MonitorRun {
        at: Timestamp::from_unix_ms(1_790_000_300_000),
        event_id: number.to_string(),
        verdict: Verdict::Unknown,
        requests: None,
        latency_mean_ms: None,
        latency_total_ms: None,
        passed_tests: None,
        failed_tests: None,
        errors: None,
        warnings: None,
    }
}

impl Monitors for Fake {
    async fn monitors(&self, filter: MonitorFilter, page: PageRequest) -> Result<Page<Monitor>, ReadError> {
        self.remember(format!("{filter:?} {page:?}"));
        self.page(&page, |number| Monitor { last_run: None, slo: None, ..monitor(number) })
    }

    async fn monitor(&self, uid: &str) -> Result<Option<Monitor>, ReadError> {
        Ok((1..=self.0.count).map(monitor).find(|monitor| monitor.uid == uid))
    }

    async fn monitor_runs(
        &self,
        uid: &str,
        range: RunRange,
        page: PageRequest,
    ) -> Result<Option<Page<MonitorRun>>, ReadError> {
        self.remember(format!("{range:?} {page:?}"));
        self.monitor(uid).await?.map(|_| self.page(&page, run)).transpose()
    }

    async fn run_buckets(&self, uid: &str, request: BucketRequest) -> Result<Option<RunSums>, ReadError> {
        self.remember(format!("{request:?}"));
        if request.time_zone == "Mars" {
            return Err(ReadError::BadParameter { name: "time_zone", reason: "not here".to_owned() });
        }
        Ok(self
            .monitor(uid)
            .await?
            .map(|monitor| RunSums { name: monitor.name, buckets: vec![RunBucket::example()] }))
    }

    async fn run_stream(&self, uid: &str, range: RunRange) -> Result<Option<RunStream>, ReadError> {
        self.remember(format!("{range:?}"));
        let Some(monitor) = self.monitor(uid).await? else { return Ok(None) };
        let mut pieces = vec![Ok(vec![run(1)]), Ok(vec![run(2)])];
        if uid == BREAKS_OFF {
            pieces[1] = Err(ReadError::Unavailable { reason: "the disk is gone".to_owned() });
        }
        Ok(Some(RunStream { name: monitor.name, pieces: stream::iter(pieces).boxed() }))
    }

    async fn mute_monitor(
        &self,
        uid: &str,
        until: MuteUntil,
        reason: Option<String>,
        by: &Caller,
    ) -> Result<Option<Monitor>, ActionError> {
        self.remember(format!("mute {uid} {until:?} {reason:?} by {}", by.name));
        let until = match until {
            MuteUntil::Moment(until) => until,
            MuteUntil::Seconds(_) => Timestamp::from_unix_ms(1_790_000_000_000),
        };
        let mute = Mute { until, by: by.name.clone(), reason };
        Ok(self.monitor(uid).await.unwrap().map(|monitor| Monitor { mute: Some(mute), ..monitor }))
    }

    async fn unmute_monitor(&self, uid: &str, by: &Caller) -> Result<Option<Monitor>, ActionError> {
        self.remember(format!("unmute {uid} by {}", by.name));
        Ok(self.monitor(uid).await.unwrap())
    }

    async fn forget_monitor(&self, uid: &str, by: &Caller) -> Result<Option<ForgottenMonitor>, ActionError> {
        self.remember(format!("forget {uid} by {}", by.name));
        let found = self.monitor(uid).await.unwrap();
        Ok(found.map(|monitor| ForgottenMonitor { uid: monitor.uid, ..ForgottenMonitor::example() }))
    }

    async fn incidents(
        &self,
        filter: IncidentFilter,
        page: PageRequest,
    ) -> Result<Page<Incident>, ReadError> {
        self.remember(format!("{filter:?} {page:?}"));
        self.page(&page, |number| Incident { timeline: None, ..incident(number) })
    }

    async fn incident(&self, id: &str) -> Result<Option<Incident>, ReadError> {
        Ok((1..=self.0.count).map(incident).find(|incident| incident.id == id))
    }
}

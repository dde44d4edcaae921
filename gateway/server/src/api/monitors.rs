//! What is asked about monitors and incidents.

mod cursor;
mod runs;

use std::time::Duration;

use postroom_core::{
    id::IncidentId,
    monitor::{Monitor, Mute, summary::Summary},
    time::Timestamp,
};
use postroom_openapi::{
    auth::Caller,
    incidents,
    monitors::{self, BucketRequest, MuteUntil},
    page::{Page, PageRequest},
    port::{ActionError, Monitors, ReadError},
};
use postroom_store::{self as store, MonitorRow};
use serde_json::json;

use self::runs::{Place, Reading};
use super::{
    Api, audit,
    errors::{undone, unreadable, unseen},
    page_of, page_request,
    steer::acted,
    wire::{self, Depth},
};
use crate::output::plain;

/// What an objective is measured over, at most.
const SLO_WINDOW: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most sums in an answer: a year by the hour.
const BUCKETS_MAX: u64 = 10_000;
/// As long as a duration may be on the command line.
const MUTE_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Monitors for Api {
    async fn monitors(
        &self,
        filter: monitors::MonitorFilter,
        page: PageRequest,
    ) -> Result<Page<monitors::Monitor>, ReadError> {
        let (now, tracking) = (self.0.clock.now(), self.0.engine.tracking());
        let filter = wire::monitor_filter(filter, now);
        let page = store::PageRequest {
            before: page.after.as_deref().map(cursor::read).transpose()?,
            limit: usize::try_from(page.limit).unwrap_or(usize::MAX),
        };
        let found = self.0.store.monitors(filter, page).await.map_err(unreadable)?;
        let shown = |row: MonitorRow| {
            let policy = tracking.rules.policy(&row.monitor.identity);
            wire::monitor(row, &policy, now, Depth::Listed)
        };
        let items = found.items.into_iter().map(shown).collect();
        Ok(Page { items, next: found.next.as_ref().map(cursor::write) })
    }

    async fn monitor(&self, uid: &str) -> Result<Option<monitors::Monitor>, ReadError> {
        let Some(row) = self.0.store.monitor(uid.to_owned()).await.map_err(unreadable)? else {
            return Ok(None);
        };
        self.whole(row.monitor).await.map(Some)
    }

    async fn monitor_runs(
        &self,
        uid: &str,
        range: monitors::RunRange,
        page: PageRequest,
    ) -> Result<Option<Page<monitors::MonitorRun>>, ReadError> {
        if self.0.store.monitor(uid.to_owned()).await.map_err(unreadable)?.is_none() {
            return Ok(None);
        }
        let (runs, next) = Reading::new(&*self.0.store, uid, range).page_back(page).await?;
        let items = runs.into_iter().map(wire::run).collect();
        Ok(Some(Page { items, next: next.map(|place: Place| place.to_string()) }))
    }

    async fn run_buckets(
        &self,
        uid: &str,
        request: BucketRequest,
    ) -> Result<Option<monitors::RunSums>, ReadError> {
        let BucketRequest { range, resolution, time_zone } = request;
        let Some((resolution, length)) = wire::resolution(resolution) else {
            let reason = "runs that are not summed up have no sums".to_owned();
            return Err(ReadError::BadParameter { name: "resolution", reason });
        };
        let bad_zone = |_| ReadError::BadParameter {
            name: "time_zone",
            reason: "expected an IANA name, such as Europe/Berlin or UTC".to_owned(),
        };
        let mut summary = Summary::new(resolution, &time_zone).map_err(bad_zone)?;
        let Some(row) = self.0.store.monitor(uid.to_owned()).await.map_err(unreadable)? else {
            return Ok(None);
        };
        refuse_too_many(&row, range, length)?;
        let mut reading = Reading::new(&*self.0.store, uid, range);
        while let Some(runs) = reading.next().await? {
            runs.iter().for_each(|run| summary.add(run));
        }
        let buckets = summary.finish().into_iter().map(wire::bucket).collect();
        Ok(Some(monitors::RunSums { name: row.monitor.identity.name, buckets }))
    }

    async fn run_stream(
        &self,
        uid: &str,
        range: monitors::RunRange,
    ) -> Result<Option<monitors::RunStream>, ReadError> {
        let Some(row) = self.0.store.monitor(uid.to_owned()).await.map_err(unreadable)? else {
            return Ok(None);
        };
        let pieces = runs::stream(std::sync::Arc::clone(&self.0.store), uid.to_owned(), range).await?;
        Ok(Some(monitors::RunStream { name: row.monitor.identity.name, pieces }))
    }

    async fn mute_monitor(
        &self,
        uid: &str,
        until: MuteUntil,
        reason: Option<String>,
        by: &Caller,
    ) -> Result<Option<monitors::Monitor>, ActionError> {
        let now = self.0.clock.now();
        let until = match until {
            MuteUntil::Moment(until) => wire::instant(until),
            MuteUntil::Seconds(seconds) => now.plus(Duration::from_secs(seconds)),
        };
        if until <= now || now.until(until) > MUTE_MAX {
            let reason = "expected a moment to come, at most 365 days ahead".to_owned();
            return Err(ActionError::BadField { name: "until", reason });
        }
        let mute = Mute { until, by: by.name.clone(), reason };
        let before = self.0.store.monitor(uid.to_owned()).await.map_err(unreadable).map_err(unseen)?;
        by.note.before(audit::mute(before.as_ref().and_then(|row| row.monitor.mute.as_ref())));
        by.note.after(audit::mute(Some(&mute)));
        let Some(monitor) = self.0.engine.mute(uid, mute).await.map_err(undone)? else { return Ok(None) };
        acted(by, "mute", plain(uid));
        self.whole(monitor).await.map(Some).map_err(unseen)
    }

    async fn unmute_monitor(&self, uid: &str, by: &Caller) -> Result<Option<monitors::Monitor>, ActionError> {
        let row = self.0.store.monitor(uid.to_owned()).await.map_err(unreadable).map_err(unseen)?;
        let Some(MonitorRow { monitor, .. }) = row else { return Ok(None) };
        by.note.before(audit::mute(monitor.mute.as_ref()));
        if monitor.mute.is_none() {
            return self.whole(monitor).await.map(Some).map_err(unseen);
        }
        let Some(monitor) = self.0.engine.unmute(uid).await.map_err(undone)? else { return Ok(None) };
        by.note.after(audit::mute(None));
        acted(by, "unmute", plain(uid));
        self.whole(monitor).await.map(Some).map_err(unseen)
    }

    async fn forget_monitor(
        &self,
        uid: &str,
        by: &Caller,
    ) -> Result<Option<monitors::ForgottenMonitor>, ActionError> {
        let Some(monitor) = self.0.engine.forget_monitor(uid, &by.name).await.map_err(undone)? else {
            return Ok(None);
        };
        acted(by, "forget", plain(uid));
        let forgotten = wire::forgotten(monitor);
        by.note.before(json!({ "name": forgotten.name, "runs": forgotten.runs }));
        Ok(Some(forgotten))
    }

    async fn incidents(
        &self,
        filter: incidents::IncidentFilter,
        page: PageRequest,
    ) -> Result<Page<incidents::Incident>, ReadError> {
        let filter = wire::incident_filter(filter);
        let found = self.0.store.incidents(filter, page_request(page)?).await.map_err(unreadable)?;
        Ok(page_of(found, |record| wire::incident(record, Depth::Listed)))
    }

    async fn incident(&self, id: &str) -> Result<Option<incidents::Incident>, ReadError> {
        let Ok(id) = id.parse::<IncidentId>() else { return Ok(None) };
        let found = self.0.store.incident(id).await.map_err(unreadable)?;
        Ok(found.map(|record| wire::incident(record, Depth::Whole)))
    }
}

impl Api {
    /// A monitor with all there is to say about it.
    async fn whole(&self, monitor: Monitor) -> Result<monitors::Monitor, ReadError> {
        let now = self.0.clock.now();
        let policy = self.0.engine.tracking().rules.policy(&monitor.identity);
        let slo = match policy.slo {
            None => None,
            Some(target) => {
                let since = slo_since(now, self.0.history, monitor.first_seen);
                let (passed, failed) = self.counted_since(&monitor.identity.uid, since).await?;
                Some(wire::slo(since, passed, failed, target))
            }
        };
        let row = MonitorRow { monitor, due_at: None };
        Ok(monitors::Monitor { slo, ..wire::monitor(row, &policy, now, Depth::Whole) })
    }

    /// How many runs passed, and how many failed.
    async fn counted_since(&self, uid: &str, since: Timestamp) -> Result<(u64, u64), ReadError> {
        use postroom_core::event::Verdict;
        let range = monitors::RunRange { since: Some(wire::moment(since)), until: None };
        let mut reading = Reading::new(&*self.0.store, uid, range);
        let (mut passed, mut failed) = (0, 0);
        while let Some(runs) = reading.next().await? {
            for run in runs {
                match run.verdict {
                    Verdict::Passed => passed += 1,
                    Verdict::Failed => failed += 1,
                    Verdict::Unknown => {}
                }
            }
        }
        Ok((passed, failed))
    }
}

/// Since when an objective is measured: no further back than there are runs.
fn slo_since(now: Timestamp, history: Option<Duration>, first_seen: Timestamp) -> Timestamp {
    let window_ms = history.map_or(SLO_WINDOW, |history| history.min(SLO_WINDOW)).as_millis();
    let window_ms = i64::try_from(window_ms).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(now.as_unix_ms().saturating_sub(window_ms)).max(first_seen)
}

/// Refuses what would be more sums than anybody looks at, before a run is read.
fn refuse_too_many(row: &MonitorRow, range: monitors::RunRange, length: Duration) -> Result<(), ReadError> {
    let monitor = &row.monitor;
    let first = monitor.first_seen;
    let last = monitor.last_run.as_ref().map_or(first, |run| run.at);
    let since = range.since.map_or(first, |since| wire::instant(since).max(first));
    let until = range.until.map_or(last, |until| wire::instant(until).min(last));
    let buckets = since.until(until).as_secs() / length.as_secs().max(1);
    if buckets <= BUCKETS_MAX {
        return Ok(());
    }
    let reason = format!(
        "these would be more than {BUCKETS_MAX} sums; ask for less time, or for a coarser resolution"
    );
    Err(ReadError::BadParameter { name: "resolution", reason })
}

#[cfg(test)]
mod tests;

//! The resource `monitors`: what the runs of each monitor say, and how it stands.

use poem_openapi::{
    Enum, Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
};

use crate::{
    auth::{ApiKey, OperatorKey},
    events::Verdict,
    json_body::JsonBody,
    page::{self, List},
    port::Gateway,
    problem::{Code, Failure},
    time::Timestamp,
};

mod csv;
mod forget;
mod monitor;
mod mute;
mod runs;

pub use self::{
    forget::ForgottenMonitor,
    monitor::{Monitor, MonitorIncident, MonitorPhase, MonitorSlo, NotificationPolicy, RunCounts, Severity},
    mute::{Mute, MuteUntil, NewMute},
    runs::{
        BucketRequest, MonitorRun, MonitorRuns, Resolution, RunBucket, RunPieces, RunRange, RunStream,
        RunSums,
    },
};
use self::{
    mute::REASON_CHARS_MAX,
    runs::{Format, RunsAnswer},
};

const LIST: List = List("monitors");
const RUNS: List = List("runs");

/// A page of monitors, in the order of their names.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct MonitorPage {
    /// The monitors.
    pub items: Vec<Monitor>,
    /// Pass it as `cursor` to get the next page. Absent on the last page.
    pub next_cursor: Option<String>,
}

/// Whether a monitor has an open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum HasIncident {
    /// It has one.
    Open,
    /// It has none.
    None,
}

/// Which monitors to list. Every part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonitorFilter {
    /// Only those with this text in the name or id of the monitor, its collection or its environment, in whatever case.
    pub text: Option<String>,
    /// Only those whose last run says this.
    pub verdict: Option<Verdict>,
    /// Only those that are silent, or are not.
    pub silent: Option<bool>,
    /// Only those with an open incident, or without one.
    pub incident: Option<HasIncident>,
    /// Only those that a person has muted, or nobody has.
    pub muted: Option<bool>,
    /// Only those whose last run came in by this source.
    pub source: Option<String>,
    /// Only those whose last run has this label; with a value, only with this one.
    pub label: Option<(String, Option<String>)>,
}

#[derive(Tags)]
enum Tag {
    /// What the runs of monitors say.
    Monitors,
}

/// The operations on monitors.
pub(crate) struct MonitorsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/monitors")]
impl<G: Gateway> MonitorsApi<G> {
    /// List monitors
    ///
    /// Gives every monitor that runs have come from, in the order of their names. A page may hold fewer than asked for, even
    /// none, before the last one.
    #[oai(path = "/", method = "get", operation_id = "listMonitors", tag = "Tag::Monitors")]
    #[expect(clippy::too_many_arguments, reason = "each is a query parameter of its own in the document")]
    async fn list(
        &self,
        _key: ApiKey<G>,
        /// Only monitors with this text in the name or id of the monitor, its collection or its environment, in whatever case.
        text: Query<Option<String>>,
        /// Only monitors whose last run says this.
        verdict: Query<Option<Verdict>>,
        /// Only monitors that are silent, or with `false` those that are not.
        silent: Query<Option<bool>>,
        /// Only monitors with an open incident, or with `none` those without.
        incident: Query<Option<HasIncident>>,
        /// Only monitors that a person has muted, or with `false` those that nobody has.
        muted: Query<Option<bool>>,
        /// Only monitors whose last run came in by this source.
        source: Query<Option<String>>,
        /// Only monitors whose last run has this label: `name=value`, or the name alone for any value.
        label: Query<Option<String>>,
        /// Most monitors on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<MonitorPage>, Failure> {
        let label = label.0.map(|label| match label.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (label, None),
        });
        let filter = MonitorFilter {
            text: text.0,
            verdict: verdict.0,
            silent: silent.0,
            incident: incident.0,
            muted: muted.0,
            source: source.0,
            label,
        };
        let page = self.0.monitors(filter, LIST.request(limit.0, cursor.0)?).await?;
        let next_cursor = page.next.map(|key| LIST.cursor(&key));
        Ok(Json(MonitorPage { items: page.items, next_cursor }))
    }

    /// Get a monitor
    ///
    /// Gives one monitor with its last run and, where it has an objective, its error budget.
    #[oai(path = "/:uid", method = "get", operation_id = "getMonitor", tag = "Tag::Monitors")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The monitor's id.
        uid: Path<String>,
    ) -> Result<Json<Monitor>, Failure> {
        self.0.monitor(&uid).await?.map(Json).ok_or_else(|| Failure::not_found("monitor"))
    }

    /// Forget a monitor
    ///
    /// Needs the role operator. For one that was deleted in Postman. Its open incident is resolved, its silence and its mute
    /// end, and what was told before is told to be over; then the monitor goes with all its runs. Incidents and events stay for
    /// as long as they are kept. A run that comes later makes it a new monitor.
    #[oai(path = "/:uid", method = "delete", operation_id = "forgetMonitor", tag = "Tag::Monitors")]
    async fn forget(
        &self,
        key: OperatorKey<G>,
        /// The monitor's id.
        uid: Path<String>,
    ) -> Result<Json<ForgottenMonitor>, Failure> {
        let forgotten = self.0.forget_monitor(&uid, &key.0).await?;
        forgotten.map(Json).ok_or_else(|| Failure::not_found("monitor"))
    }

    /// Get the runs of a monitor
    ///
    /// Gives every run, newest first and in pages; or, with another `resolution`, their sums per hour, day, week or month,
    /// oldest first and all at once. Buckets without runs are left out, and more than 10 000 are refused: ask for
    /// less time or a coarser resolution. Runs are kept for `[tracker] history`, whatever becomes of their events.
    ///
    /// With `format=csv` all of it comes as one CSV file (RFC 4180) with a header row, oldest first; `limit` and `cursor`
    /// mean nothing then. A text of a stranger's that a spreadsheet would take for a formula has a `'` before it. It is for
    /// callers who read the body themselves: a generated client reads the JSON.
    #[oai(path = "/:uid/runs", method = "get", operation_id = "listMonitorRuns", tag = "Tag::Monitors")]
    #[expect(clippy::too_many_arguments, reason = "each is a query parameter of its own in the document")]
    async fn runs(
        &self,
        _key: ApiKey<G>,
        /// The monitor's id.
        uid: Path<String>,
        /// Only runs accepted at this moment or later.
        since: Query<Option<Timestamp>>,
        /// Only runs accepted before this moment.
        until: Query<Option<Timestamp>>,
        /// How runs are summed up.
        #[oai(default = "Resolution::run")]
        resolution: Query<Resolution>,
        /// Whose hours, days, weeks and months: a time zone by its IANA name. Weeks begin on Monday.
        #[oai(default = "runs::utc")]
        time_zone: Query<String>,
        /// In which form.
        #[oai(default = "Format::json")]
        format: Query<Format>,
        /// Most runs on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<RunsAnswer, Failure> {
        let range = RunRange { since: since.0, until: until.0 };
        let none = || Failure::not_found("monitor");
        let buckets = BucketRequest { range, resolution: resolution.0, time_zone: time_zone.0 };
        match (resolution.0, format.0) {
            (Resolution::Run, Format::Json) => {
                let page = RUNS.request(limit.0, cursor.0)?;
                let page = self.0.monitor_runs(&uid, range, page).await?.ok_or_else(none)?;
                let next_cursor = page.next.map(|key| RUNS.cursor(&key));
                let runs = MonitorRuns {
                    resolution: Resolution::Run,
                    items: Some(page.items),
                    buckets: None,
                    next_cursor,
                };
                Ok(RunsAnswer::json(&runs))
            }
            (Resolution::Run, Format::Csv) => {
                let stream = self.0.run_stream(&uid, range).await?.ok_or_else(none)?;
                Ok(RunsAnswer::csv(&uid, csv::runs(&uid, stream)))
            }
            (resolution, format) => {
                let RunSums { name, buckets } = self.0.run_buckets(&uid, buckets).await?.ok_or_else(none)?;
                if format == Format::Csv {
                    return Ok(RunsAnswer::csv(&uid, csv::buckets(&uid, name.as_deref(), &buckets)));
                }
                let runs = MonitorRuns { resolution, items: None, buckets: Some(buckets), next_cursor: None };
                Ok(RunsAnswer::json(&runs))
            }
        }
    }

    /// Mute a monitor
    ///
    /// Needs the role operator. Until then nothing new is told of the monitor: no incident, no reminder, no silence. The end
    /// of what was told before is told all the same. What happens is kept, and what is still open when the mute ends is told
    /// then. A mute replaces the one before.
    #[oai(path = "/:uid/mute", method = "post", operation_id = "muteMonitor", tag = "Tag::Monitors")]
    async fn mute(
        &self,
        key: OperatorKey<G>,
        /// The monitor's id.
        uid: Path<String>,
        request: JsonBody<NewMute>,
    ) -> Result<Json<Monitor>, Failure> {
        let NewMute { until, for_s, reason } = request.0;
        let until = match (until, for_s) {
            (Some(until), None) => MuteUntil::Moment(until),
            (None, Some(seconds)) => MuteUntil::Seconds(seconds),
            _ => {
                let detail = "say how long: either `until` a moment, or `for_s` seconds";
                return Err(Failure::new(Code::InvalidBody, detail));
            }
        };
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
            let detail = format!("field `reason`: at most {REASON_CHARS_MAX} characters");
            return Err(Failure::new(Code::InvalidBody, detail));
        }
        let monitor = self.0.mute_monitor(&uid, until, reason, &key.0).await?;
        monitor.map(Json).ok_or_else(|| Failure::not_found("monitor"))
    }

    /// End the mute of a monitor
    ///
    /// Needs the role operator. What is still open is told now. One that is not muted stays as it is.
    #[oai(path = "/:uid/mute", method = "delete", operation_id = "unmuteMonitor", tag = "Tag::Monitors")]
    async fn unmute(
        &self,
        key: OperatorKey<G>,
        /// The monitor's id.
        uid: Path<String>,
    ) -> Result<Json<Monitor>, Failure> {
        let monitor = self.0.unmute_monitor(&uid, &key.0).await?;
        monitor.map(Json).ok_or_else(|| Failure::not_found("monitor"))
    }
}

#[cfg(test)]
mod tests;

//! The resource `incidents`: when monitors failed, for how long, and what was told of it.

use poem_openapi::{
    Enum, Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
    types::Example,
};

use crate::{
    auth::ApiKey,
    monitors::Severity,
    page::{self, List},
    port::Gateway,
    problem::Failure,
    time::Timestamp,
};

const LIST: List = List("incidents");

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum IncidentState {
    /// It goes on.
    Open,
    /// It is over.
    Resolved,
}

/// Points to a run.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct RunLink {
    /// The id of its event, which may be gone before the incident is.
    pub event_id: String,
    /// When it was accepted.
    pub at: Timestamp,
}

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What: `opened`; `announced`, when it is told later than it opened; `severity`, when a run was worse than those before;
    /// `reminder`; `resolved`. More may come.
    pub what: String,
    /// The event that it is about or that was made of it.
    pub event_id: Option<String>,
    /// More about it, for people.
    pub note: Option<String>,
}

/// An incident: a monitor failed, from its opening run to the one that resolved it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct Incident {
    /// The incident's id, a UUID of version 7.
    pub id: String,
    /// The monitor's id.
    pub monitor_uid: String,
    /// The monitor's name, as it was.
    pub monitor_name: Option<String>,
    /// Whether it goes on.
    pub state: IncidentState,
    /// The worst of its failed runs.
    pub severity: Severity,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it was resolved. Absent while it is open.
    pub resolved_at: Option<Timestamp>,
    /// From its opening to its end, in seconds. Absent while it is open.
    pub duration_s: Option<u64>,
    /// Runs that count from the first failed one on.
    pub runs: u32,
    /// Those that failed.
    pub failed_runs: u32,
    /// The first failed run.
    pub first_failing: RunLink,
    /// The last failed run.
    pub last_failing: RunLink,
    /// The run that resolved it. Absent while it is open, and when its monitor was forgotten.
    pub resolved_by: Option<RunLink>,
    /// How often it was reminded of.
    pub reminders: u32,
    /// Whether it was told. One that opened while its monitor was muted is told when that ends, if it is still open then.
    pub announced: bool,
    /// What happened, oldest first. Absent in lists.
    pub timeline: Option<Vec<TimelineEntry>>,
}

impl Example for Incident {
    fn example() -> Self {
        let at = |seconds: i64| Timestamp::from_unix_ms(1_790_000_000_125 + seconds * 1000);
        let run = |seconds, last: &str| RunLink {
            event_id: format!("0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c{last}"),
            at: at(seconds),
        };
        let entry = |what: &str, run: &RunLink| TimelineEntry {
            at: run.at,
            what: what.to_owned(),
            event_id: Some(run.event_id.clone()),
            note: None,
        };
        let (first, reminder, passed) = (run(0, "00"), run(450, "07"), run(600, "09"));
        Self {
            id: "0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01".to_owned(),
            monitor_uid: "1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10".to_owned(),
            monitor_name: Some("Checkout smoke test".to_owned()),
            state: IncidentState::Resolved,
            severity: Severity::Error,
            opened_at: at(0),
            resolved_at: Some(at(600)),
            duration_s: Some(600),
            runs: 3,
            failed_runs: 2,
            first_failing: first.clone(),
            last_failing: run(300, "05"),
            resolved_by: Some(passed.clone()),
            reminders: 1,
            announced: true,
            timeline: Some(vec![
                entry("opened", &first),
                entry("reminder", &reminder),
                entry("resolved", &passed),
            ]),
        }
    }
}

/// A page of incidents, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct IncidentPage {
    /// The incidents.
    pub items: Vec<Incident>,
    /// Pass it as `cursor` to get the next page. Absent on the last page.
    pub next_cursor: Option<String>,
}

/// Which incidents to list. Every part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Only in this state.
    pub state: Option<IncidentState>,
    /// Only of the monitor with this id.
    pub monitor: Option<String>,
    /// Only those opened at this moment or later.
    pub since: Option<Timestamp>,
    /// Only those opened before this moment.
    pub until: Option<Timestamp>,
}

#[derive(Tags)]
enum Tag {
    /// When monitors failed.
    Incidents,
}

/// The operations on incidents.
pub(crate) struct IncidentsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/incidents")]
impl<G: Gateway> IncidentsApi<G> {
    /// List incidents
    ///
    /// Gives incidents of all monitors, newest first. To follow them, follow the events of the kinds `incident_opened`,
    /// `incident_reminder` and `incident_resolved`: `listEvents` with `after`.
    #[oai(path = "/", method = "get", operation_id = "listIncidents", tag = "Tag::Incidents")]
    #[expect(clippy::too_many_arguments, reason = "each is a query parameter of its own in the document")]
    async fn list(
        &self,
        _key: ApiKey<G>,
        /// Only incidents in this state.
        state: Query<Option<IncidentState>>,
        /// Only incidents of the monitor with this id.
        monitor: Query<Option<String>>,
        /// Only incidents opened at this moment or later.
        since: Query<Option<Timestamp>>,
        /// Only incidents opened before this moment.
        until: Query<Option<Timestamp>>,
        /// Most incidents on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<IncidentPage>, Failure> {
        let filter = IncidentFilter { state: state.0, monitor: monitor.0, since: since.0, until: until.0 };
        let page = self.0.incidents(filter, LIST.request(limit.0, cursor.0)?).await?;
        let next_cursor = page.next.map(|key| LIST.cursor(&key));
        Ok(Json(IncidentPage { items: page.items, next_cursor }))
    }

    /// Get an incident
    ///
    /// Gives one incident with its timeline.
    #[oai(path = "/:id", method = "get", operation_id = "getIncident", tag = "Tag::Incidents")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The incident's id.
        id: Path<String>,
    ) -> Result<Json<Incident>, Failure> {
        self.0.incident(&id).await?.map(Json).ok_or_else(|| Failure::not_found("incident"))
    }
}

#[cfg(test)]
mod tests;

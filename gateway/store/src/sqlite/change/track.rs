//! Keeps what following the log of events has come to.

use postroom_core::monitor::{
    CollectionWatch, Monitor, Run, RunRef,
    history::{self, RUNS_PER_CHUNK},
};
use rusqlite::{CachedStatement, OptionalExtension, Row, params};

use super::{ChangeError, Changes, EventRow};
use crate::{
    monitors::{
        Alive, CollectionChange, IncidentRecord, MonitorChange, TIMELINE_ENTRIES_MAX, TrackChange,
        TrackerMark,
    },
    records::FreshDelivery,
    sqlite::{
        event_log,
        monitors::{cadence_json, timeline_json, track_json},
        row::{labels_json, saturated},
    },
};

/// What [`Prune::history_before`](crate::Prune::history_before) compares the last run of a monitor by, so that no index
/// has to be written with each run.
pub(super) const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What an incident says that is closed although no run resolved it.
const BEGUN_ANEW: &str = "what was known of the monitor could not be read, it was begun anew";

/// The longest time from the first run of a chunk to its others. Clocks that are set may double what it covers.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const FIND: &str = "
    SELECT id, chunks, chunk_ms_max, recent, list_name, name, collection_name, collection_id, environment_name, environment_id,
           source, labels, last_month, incident, last_verdict, silent_since, muted_until, due_at, muted_by, muted_because
    FROM monitor WHERE uid = ?1";
const INSERT: &str = "
    INSERT INTO monitor (uid, list_name, name, collection_name, collection_id, environment_name, environment_id,
                         source, labels, last_month, first_seen)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const RENAME: &str = "
    UPDATE monitor
    SET list_name = ?2, name = ?3, collection_name = ?4, collection_id = ?5, environment_name = ?6,
        environment_id = ?7, source = ?8, labels = ?9, last_month = ?10
    WHERE uid = ?1";
/// What no index holds.
const UPDATE: &str = "
    UPDATE monitor
    SET last_run = ?2, passed = ?3, failed = ?4, unknown = ?5, track = ?6, cadence = ?7, chunks = ?8, chunk_ms_max = ?9,
        recent = ?10
    WHERE id = ?1";
/// What indexes hold or ask for, and what goes with that. SQLite writes an index whenever a statement names its columns.
const UPDATE_STATE: &str = "
    UPDATE monitor
    SET incident = ?2, last_verdict = ?3, silent_since = ?4, muted_until = ?5, due_at = ?6, muted_by = ?7, muted_because = ?8
    WHERE id = ?1";
const ADD_CHUNK: &str =
    "INSERT INTO run_chunk (monitor, last_at, number, first_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5)";
const KEEP_INCIDENT: &str = "
    INSERT INTO incident (id, monitor, monitor_name, state, severity, opened_at, resolved_at, first_failing_event,
                          first_failing_at, last_failing_event, last_failing_at, resolved_by_event, resolved_by_at,
                          runs, failed_runs, reminders, announced, timeline)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (id) DO UPDATE
    SET monitor_name = excluded.monitor_name, state = excluded.state, severity = excluded.severity,
        resolved_at = excluded.resolved_at, last_failing_event = excluded.last_failing_event,
        last_failing_at = excluded.last_failing_at, resolved_by_event = excluded.resolved_by_event,
        resolved_by_at = excluded.resolved_by_at, runs = excluded.runs, failed_runs = excluded.failed_runs,
        reminders = excluded.reminders, announced = excluded.announced, timeline = excluded.timeline";
const CLOSE_INCIDENT: &str = "
    UPDATE incident
    SET state = 'resolved', resolved_at = ?2,
        timeline = CASE WHEN json_valid(timeline)
                   THEN json_insert(timeline, '$[#]', json_object('at', ?2, 'what', 'resolved', 'note', ?3)) ELSE timeline END
    WHERE id = ?1 AND resolved_at IS NULL";
const FORGET: &str = "DELETE FROM monitor WHERE uid = ?1";
const KEEP_COLLECTION: &str = "
    INSERT INTO collection_watch (uid, name, last_at, last_event, overdue_since, due_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (uid) DO UPDATE
    SET name = excluded.name, last_at = excluded.last_at, last_event = excluded.last_event,
        overdue_since = excluded.overdue_since, due_at = excluded.due_at";
const SET_MARK: &str = "
    INSERT INTO tracker (id, position, alive_at, absences, following_since)
    VALUES (1, coalesce(?1, 0), ?2, ?3, ?4)
    ON CONFLICT (id) DO UPDATE
    SET position = coalesce(?1, position), alive_at = excluded.alive_at, absences = excluded.absences,
        following_since = excluded.following_since";

#[cfg(test)]
pub(super) const QUERIES: [&str; 6] = [FIND, RENAME, UPDATE, UPDATE_STATE, CLOSE_INCIDENT, FORGET];

/// A change ready to be written: its events apart from the rest.
#[derive(Debug)]
pub(in crate::sqlite) struct Tracking {
    pub(in crate::sqlite) change: TrackChange,
    pub(in crate::sqlite) events: Vec<EventRow>,
}

impl Changes<'_> {
    /// How far the log was followed.
    pub(in crate::sqlite) fn tracker_mark(&mut self) -> rusqlite::Result<TrackerMark> {
        event_log::mark(self.connection)
    }

    /// Writes all of a change, or nothing if one of its events is refused.
    pub(in crate::sqlite) fn track(
        &mut self,
        tracking: &Tracking,
        fresh: &mut Vec<FreshDelivery>,
    ) -> Result<(), ChangeError> {
        let Tracking { change, events } = tracking;
        if events.is_empty() {
            return Ok(self.follow(change)?);
        }
        let told = fresh.len();
        let tracked = self.apart(|changes| {
            events.iter().try_for_each(|event| changes.accept(event, fresh).map(drop))?;
            Ok(changes.follow(change)?)
        });
        if tracked.is_err() {
            fresh.truncate(told);
        }
        tracked
    }

    fn follow(&mut self, change: &TrackChange) -> rusqlite::Result<()> {
        let TrackChange { position, alive, monitors, incidents, collections, forgotten, events: _ } = change;
        let mut left = Vec::new();
        if !monitors.is_empty() {
            let mut keeping = KeepMonitors::prepare(self)?;
            for monitor in monitors {
                left.extend(keeping.keep(monitor)?);
            }
        }
        incidents.iter().try_for_each(|incident| self.keep_incident(incident))?;
        for incident in left {
            let mut close = self.connection.prepare_cached(CLOSE_INCIDENT)?;
            close.execute(params![incident, alive.at.as_unix_ms(), BEGUN_ANEW])?;
        }
        collections.iter().try_for_each(|collection| self.keep_collection(collection))?;
        for uid in forgotten {
            // Its runs go with it.
            self.connection.prepare_cached(FORGET)?.execute([uid])?;
        }
        let Alive { at, watch, following_since } = alive;
        let [at, following_since] = [at, following_since].map(|time| time.as_unix_ms());
        let mut set = self.connection.prepare_cached(SET_MARK)?;
        set.execute(params![position, at, event_log::absences_of(watch), following_since])?;
        Ok(())
    }

    fn keep_incident(&mut self, incident: &IncidentRecord) -> rusqlite::Result<()> {
        let RunRef { event: first_failing, at: first_failing_at } = incident.first_failing;
        let RunRef { event: last_failing, at: last_failing_at } = incident.last_failing;
        let timeline = &incident.timeline;
        // The first one says how it began.
        let behind = timeline.len().saturating_sub(TIMELINE_ENTRIES_MAX - 1).max(1);
        let timeline = timeline.iter().take(1).chain(timeline.iter().skip(behind));
        self.connection.prepare_cached(KEEP_INCIDENT)?.execute(params![
            incident.id.as_bytes(),
            incident.monitor,
            incident.monitor_name,
            incident.state.as_str(),
            incident.severity.as_str(),
            incident.opened_at.as_unix_ms(),
            incident.resolved_at.map(|at| at.as_unix_ms()),
            first_failing.as_bytes(),
            first_failing_at.as_unix_ms(),
            last_failing.as_bytes(),
            last_failing_at.as_unix_ms(),
            incident.resolved_by.as_ref().map(|run| run.event.as_bytes()),
            incident.resolved_by.map(|run| run.at.as_unix_ms()),
            incident.runs,
            incident.failed_runs,
            incident.reminders,
            incident.announced,
            timeline_json(timeline),
        ])?;
        Ok(())
    }

    fn keep_collection(&mut self, change: &CollectionChange) -> rusqlite::Result<()> {
        let CollectionWatch { uid, name, last_at, last_event, overdue_since } = &change.watch;
        self.connection.prepare_cached(KEEP_COLLECTION)?.execute(params![
            uid,
            name,
            last_at.as_unix_ms(),
            last_event.as_bytes(),
            overdue_since.map(|at| at.as_unix_ms()),
            change.due_at.map(|at| at.as_unix_ms()),
        ])?;
        Ok(())
    }
}

/// The statements of one monitor after the other.
struct KeepMonitors<'connection> {
    changes: &'connection Changes<'connection>,
    find: CachedStatement<'connection>,
    update: CachedStatement<'connection>,
    update_state: CachedStatement<'connection>,
}

/// A monitor as it is kept, as far as the next change of it asks.
struct Kept {
    id: i64,
    chunks: i64,
    chunk_ms_max: i64,
    recent: Vec<u8>,
    state: State,
}

/// What [`UPDATE_STATE`] writes.
#[derive(Default, PartialEq, Eq)]
struct State {
    /// The open incident.
    incident: Option<Vec<u8>>,
    last_verdict: Option<String>,
    silent_since: Option<i64>,
    muted_until: Option<i64>,
    due_at: Option<i64>,
    muted_by: Option<String>,
    muted_because: Option<String>,
}

/// What changes seldom, so that the indexes on it are written seldom.
struct Seldom<'a> {
    list_name: String,
    /// The names and ids, as they are.
    texts: [Option<&'a str>; 6],
    labels: String,
    last_month: i64,
}

impl<'connection> KeepMonitors<'connection> {
    fn prepare(changes: &'connection Changes<'connection>) -> rusqlite::Result<Self> {
        let prepare = |sql| changes.connection.prepare_cached(sql);
        let (find, update, update_state) = (prepare(FIND)?, prepare(UPDATE)?, prepare(UPDATE_STATE)?);
        Ok(Self { changes, find, update, update_state })
    }

    /// Gives the incident that was open before, if it is not open any more.
    fn keep(&mut self, change: &MonitorChange) -> rusqlite::Result<Option<Vec<u8>>> {
        let MonitorChange { monitor, runs, .. } = change;
        let mut kept = self.identify(monitor)?;
        if !runs.is_empty() {
            self.append(&mut kept, runs)?;
        }
        let last_run = monitor.last_run.as_ref();
        self.update.execute(params![
            kept.id,
            last_run.map(|run| history::encode(std::slice::from_ref(run))),
            saturated(monitor.counts.passed),
            saturated(monitor.counts.failed),
            saturated(monitor.counts.unknown),
            track_json(&monitor.track),
            cadence_json(&monitor.cadence),
            kept.chunks,
            kept.chunk_ms_max,
            kept.recent,
        ])?;
        let state = State::of(change);
        if state == kept.state {
            return Ok(None);
        }
        let State { incident, last_verdict, silent_since, muted_until, due_at, muted_by, muted_because } =
            &state;
        self.update_state.execute(params![
            kept.id,
            incident,
            last_verdict,
            silent_since,
            muted_until,
            due_at,
            muted_by,
            muted_because,
        ])?;
        Ok(kept.state.incident.filter(|before| state.incident.as_ref() != Some(before)))
    }

    /// Finds a monitor under its present name, or gives it a row.
    fn identify(&mut self, monitor: &Monitor) -> rusqlite::Result<Kept> {
        let uid = &monitor.identity.uid;
        let seldom = Seldom::of(monitor);
        let found = self.find.query_row([uid], |row| {
            let kept = Kept {
                id: row.get(0)?,
                chunks: row.get(1)?,
                chunk_ms_max: row.get(2)?,
                recent: row.get(3)?,
                state: State::read(row)?,
            };
            Ok((kept, seldom.is_in(row)?))
        });
        let Seldom { list_name, texts, labels, last_month } = &seldom;
        let [name, collection_name, collection_id, environment_name, environment_id, source] = texts;
        match found.optional()? {
            Some((kept, true)) => Ok(kept),
            Some((kept, false)) => {
                self.changes.connection.prepare_cached(RENAME)?.execute(params![
                    uid,
                    list_name,
                    name,
                    collection_name,
                    collection_id,
                    environment_name,
                    environment_id,
                    source,
                    labels,
                    last_month,
                ])?;
                Ok(kept)
            }
            None => {
                let id = self.changes.connection.prepare_cached(INSERT)?.insert(params![
                    uid,
                    list_name,
                    name,
                    collection_name,
                    collection_id,
                    environment_name,
                    environment_id,
                    source,
                    labels,
                    last_month,
                    monitor.first_seen.as_unix_ms(),
                ])?;
                Ok(Kept {
                    id,
                    chunks: 0,
                    chunk_ms_max: 0,
                    recent: history::encode(&[]),
                    state: State::default(),
                })
            }
        }
    }

    /// Adds runs to the recent ones. Whenever these are enough they become a chunk.
    fn append(&mut self, kept: &mut Kept, runs: &[Run]) -> rusqlite::Result<()> {
        let Kept { id: monitor, chunks, chunk_ms_max, recent, state: _ } = kept;
        let mut all = history::decode(recent).unwrap_or_else(|error| {
            // Without them it goes on; with an error it would never go on.
            tracing::error!(table = "monitor", row = *monitor, error = %error, "recent runs cannot be read, they are lost");
            Vec::new()
        });
        all.extend_from_slice(runs);
        let mut rest = &all[..];
        while let Some((chunk, behind)) = first_chunk(rest) {
            rest = behind;
            let times = || chunk.iter().map(|run| run.at.as_unix_ms());
            let (first_at, last_at) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
            let mut add = self.changes.connection.prepare_cached(ADD_CHUNK)?;
            add.execute(params![*monitor, last_at, *chunks, first_at, history::encode(chunk)])?;
            *chunks += 1;
            *chunk_ms_max = (*chunk_ms_max).max(last_at.saturating_sub(first_at));
        }
        *recent = history::encode(rest);
        Ok(())
    }
}

/// What is a chunk by now, and the runs behind it. A chunk ends also where the next run is far from its first: whoever reads a
/// stretch of time looks for runs of it as far beyond as the longest chunk of the monitor covers.
fn first_chunk(runs: &[Run]) -> Option<(&[Run], &[Run])> {
    let first_at = runs.first()?.at.as_unix_ms();
    let is_far = |run: &Run| run.at.as_unix_ms().abs_diff(first_at) > DAY_MS;
    let far = runs.iter().take(RUNS_PER_CHUNK).position(is_far);
    runs.split_at_checked(far.unwrap_or(RUNS_PER_CHUNK))
}

impl State {
    fn of(change: &MonitorChange) -> Self {
        let MonitorChange { monitor, due_at, .. } = change;
        let mute = monitor.mute.as_ref();
        Self {
            incident: monitor.track.incident.as_ref().map(|incident| incident.id.as_bytes().to_vec()),
            last_verdict: monitor.last_run.as_ref().map(|run| run.verdict.as_str().to_owned()),
            silent_since: monitor.cadence.silent_since.map(|at| at.as_unix_ms()),
            muted_until: mute.map(|mute| mute.until.as_unix_ms()),
            due_at: due_at.map(|at| at.as_unix_ms()),
            muted_by: mute.map(|mute| mute.by.clone()),
            muted_because: mute.and_then(|mute| mute.reason.clone()),
        }
    }

    /// From a row that [`FIND`] gives.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            incident: row.get(13)?,
            last_verdict: row.get(14)?,
            silent_since: row.get(15)?,
            muted_until: row.get(16)?,
            due_at: row.get(17)?,
            muted_by: row.get(18)?,
            muted_because: row.get(19)?,
        })
    }
}

impl<'a> Seldom<'a> {
    fn of(monitor: &'a Monitor) -> Self {
        let identity = &monitor.identity;
        let name = identity.name.as_deref().map_or("", str::trim);
        let shown = if name.is_empty() { &identity.uid } else { name };
        let last_at = monitor.last_run.as_ref().map_or(monitor.first_seen, |run| run.at);
        Self {
            list_name: shown.to_lowercase(),
            texts: [
                identity.name.as_deref(),
                identity.collection_name.as_deref(),
                identity.collection_id.as_deref(),
                identity.environment_name.as_deref(),
                identity.environment_id.as_deref(),
                Some(identity.source.as_str()),
            ],
            labels: labels_json(&identity.labels),
            last_month: last_at.as_unix_ms().div_euclid(MONTH_MS),
        }
    }

    /// Whether a row that [`FIND`] gives says the same.
    fn is_in(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let Self { list_name, texts, labels, last_month } = self;
        let texts = texts.iter().copied();
        let texts = [Some(&list_name[..])].into_iter().chain(texts).chain([Some(&labels[..])]);
        for (column, text) in (4..).zip(texts) {
            if row.get_ref(column)?.as_bytes_or_null()? != text.map(str::as_bytes) {
                return Ok(false);
            }
        }
        Ok(row.get::<_, i64>(12)? == *last_month)
    }
}

#[cfg(test)]
mod tests;

-- How far the log of events was followed; no row before the first change.
CREATE TABLE tracker (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    position        INTEGER NOT NULL,           -- of event.seq
    alive_at        INTEGER NOT NULL,
    absences        BLOB    NOT NULL,           -- when the gateway was not listening: from and until, eight bytes each
    following_since INTEGER NOT NULL            -- what came before was followed later
) STRICT;

-- A monitor, and the newest of its runs. What a run changes is in this row alone: one page for each monitor that a
-- transaction touches. `list_name`, and what else an index holds of every row, changes seldom.
CREATE TABLE monitor (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uid              TEXT    NOT NULL,
    list_name        TEXT    NOT NULL,          -- the name, or without one the uid, in lower case
    name             TEXT,
    collection_name  TEXT,
    collection_id    TEXT,
    environment_name TEXT,
    environment_id   TEXT,
    source           TEXT    NOT NULL,
    labels           TEXT    NOT NULL,          -- JSON object of texts
    first_seen       INTEGER NOT NULL,
    last_month       INTEGER NOT NULL,          -- of the last run, or when first seen: milliseconds / 30 days
    last_verdict     TEXT,
    last_run         BLOB,                      -- one run, as in run_chunk
    passed           INTEGER NOT NULL DEFAULT 0,
    failed           INTEGER NOT NULL DEFAULT 0,
    unknown          INTEGER NOT NULL DEFAULT 0,
    track            TEXT    NOT NULL DEFAULT '{}',     -- JSON object
    cadence          TEXT    NOT NULL DEFAULT '{}',     -- JSON object
    silent_since     INTEGER,
    incident         BLOB,                      -- the open one
    muted_until      INTEGER,
    muted_by         TEXT,
    muted_because    TEXT,
    due_at           INTEGER,
    chunks           INTEGER NOT NULL DEFAULT 0,        -- how many were ever made of it
    chunk_ms_max     INTEGER NOT NULL DEFAULT 0,        -- the longest time that one of them covers
    recent           BLOB    NOT NULL DEFAULT x'01',    -- runs that are in no chunk yet
    CHECK ((muted_until IS NULL) = (muted_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX monitor_by_uid ON monitor (uid);
-- Lists, and what a text is looked for in, so that looking through all of them reads no row.
CREATE INDEX monitor_by_name ON monitor (list_name, uid, collection_name, environment_name);
-- Lists of the few that are worth a look.
CREATE INDEX monitor_not_passed ON monitor (list_name, uid) WHERE last_verdict <> 'passed';
CREATE INDEX monitor_silent ON monitor (list_name, uid) WHERE silent_since IS NOT NULL;
CREATE INDEX monitor_with_incident ON monitor (list_name, uid) WHERE incident IS NOT NULL;
CREATE INDEX monitor_muted ON monitor (list_name, uid) WHERE muted_until IS NOT NULL;
-- What to look at although nothing happens.
CREATE INDEX monitor_due ON monitor (due_at) WHERE due_at IS NOT NULL;
-- Retention of monitors.
CREATE INDEX monitor_by_age ON monitor (last_month);

-- Up to 64 runs of a monitor within about a day, in the format of the history. Those of one monitor lie together.
CREATE TABLE run_chunk (
    monitor  INTEGER NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    last_at  INTEGER NOT NULL,                  -- of its runs, the newest time
    number   INTEGER NOT NULL,                  -- counts up for each monitor
    first_at INTEGER NOT NULL,                  -- the oldest time; runs are in order of acceptance
    bytes    BLOB    NOT NULL,
    PRIMARY KEY (monitor, last_at, number)
) STRICT, WITHOUT ROWID;
-- Retention of runs.
CREATE INDEX run_chunk_by_age ON run_chunk (last_at);

CREATE TABLE incident (
    number              INTEGER PRIMARY KEY AUTOINCREMENT,
    id                  BLOB    NOT NULL,
    monitor             TEXT    NOT NULL,       -- the monitor's uid; that may be gone
    monitor_name        TEXT,
    state               TEXT    NOT NULL,
    severity            TEXT    NOT NULL,
    opened_at           INTEGER NOT NULL,
    resolved_at         INTEGER,                -- set exactly when it is resolved
    first_failing_event BLOB    NOT NULL,
    first_failing_at    INTEGER NOT NULL,
    last_failing_event  BLOB    NOT NULL,
    last_failing_at     INTEGER NOT NULL,
    resolved_by_event   BLOB,
    resolved_by_at      INTEGER,
    runs                INTEGER NOT NULL,
    failed_runs         INTEGER NOT NULL,
    reminders           INTEGER NOT NULL,
    announced           INTEGER NOT NULL,
    timeline            TEXT    NOT NULL,       -- JSON array
    CHECK ((resolved_at IS NULL) = (state = 'open'))
) STRICT;
CREATE UNIQUE INDEX incident_by_id ON incident (id);
-- An index ends with the row's number by itself, so these give incidents in the order in which they opened.
CREATE INDEX incident_open ON incident (number) WHERE resolved_at IS NULL;
CREATE INDEX incident_by_monitor ON incident (monitor);
-- Retention of incidents.
CREATE INDEX incident_by_end ON incident (resolved_at) WHERE resolved_at IS NOT NULL;

-- When the last backup of each collection came.
CREATE TABLE collection_watch (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    uid           TEXT    NOT NULL,
    name          TEXT,
    last_at       INTEGER NOT NULL,
    last_event    BLOB    NOT NULL,
    overdue_since INTEGER,
    due_at        INTEGER
) STRICT;
CREATE UNIQUE INDEX collection_watch_by_uid ON collection_watch (uid);
CREATE INDEX collection_watch_due ON collection_watch (due_at) WHERE due_at IS NOT NULL;
-- Retention of collections.
CREATE INDEX collection_watch_by_age ON collection_watch (last_at);

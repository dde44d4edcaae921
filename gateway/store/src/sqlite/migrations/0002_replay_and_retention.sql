-- The newest attempt lies in the delivery's own row: a delivery that goes through at once is then one INSERT and one
-- UPDATE, and lists read no second table. `attempt` keeps the older ones.
ALTER TABLE delivery ADD COLUMN replay_of           INTEGER;   -- the delivery that this one repeats; that may be gone
ALTER TABLE delivery ADD COLUMN replay              INTEGER;   -- the replay that made it; that may be gone
ALTER TABLE delivery ADD COLUMN attempt_started_at  INTEGER;   -- from here on NULL before the first attempt
ALTER TABLE delivery ADD COLUMN attempt_finished_at INTEGER;
ALTER TABLE delivery ADD COLUMN outcome             TEXT;
ALTER TABLE delivery ADD COLUMN retry_after_ms      INTEGER;
ALTER TABLE delivery ADD COLUMN code                TEXT;
ALTER TABLE delivery ADD COLUMN message             TEXT;
ALTER TABLE delivery ADD COLUMN record              TEXT;      -- JSON object from the remote side

UPDATE delivery
SET (attempt_started_at, attempt_finished_at, outcome, retry_after_ms, code, message, record) =
    (SELECT started_at, finished_at, outcome, retry_after_ms, code, message, record
     FROM attempt WHERE attempt.delivery = delivery.id AND number = last_attempt)
WHERE last_attempt > 0;
DELETE FROM attempt WHERE number = (SELECT last_attempt FROM delivery WHERE id = attempt.delivery);

-- Lists of the final states that are not the rule. A delivery that goes through never enters it.
DROP INDEX delivery_by_state;
CREATE INDEX delivery_by_state ON delivery (state) WHERE finished_at IS NOT NULL AND state <> 'delivered';
-- What waits, in two orders, and nothing else, so both stay small however much is finished. The first: of one
-- destination by number, after a restart or when more waits than memory holds; lists of what waits; how much waits
-- for each destination (`finished_at` is always NULL in it, and there so that counting visits no row).
DROP INDEX delivery_waiting;
CREATE INDEX delivery_waiting ON delivery (destination, finished_at) WHERE finished_at IS NULL;
-- The second: of one lane by number.
CREATE INDEX delivery_waiting_in_lane ON delivery (destination, lane) WHERE finished_at IS NULL;
-- What became of the deliveries of one replay.
CREATE INDEX delivery_by_replay ON delivery (replay, state) WHERE replay IS NOT NULL;

-- When the deliveries of each run of 4096 numbers were made. A search by time skips the runs outside it, for one row
-- per commit instead of an index entry per delivery. Exact also when the clock was set back.
CREATE TABLE delivery_span (
    span   INTEGER PRIMARY KEY,                 -- delivery.id / 4096
    oldest INTEGER NOT NULL,                    -- of created_at
    newest INTEGER NOT NULL
) STRICT;
INSERT INTO delivery_span (span, oldest, newest)
    SELECT id / 4096, min(created_at), max(created_at) FROM delivery GROUP BY id / 4096;

-- An idempotency key of a source. It outlives its event when that is removed first, so it says itself what the answer
-- to a repeat is.
CREATE TABLE mark (
    source         TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    body_sha256    BLOB    NOT NULL,
    event          BLOB    NOT NULL,
    kind           TEXT    NOT NULL,
    first_delivery INTEGER NOT NULL,            -- numbers of one event follow each other
    deliveries     INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
-- Retention of marks.
CREATE INDEX mark_by_age ON mark (at);

-- Deliveries once more, all that match a filter.
CREATE TABLE replay (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    filter       TEXT    NOT NULL,              -- JSON object
    destinations TEXT    NOT NULL,              -- JSON array of names
    per_second   INTEGER NOT NULL,
    matched      INTEGER NOT NULL,
    made         INTEGER NOT NULL DEFAULT 0,
    position     INTEGER NOT NULL DEFAULT 0,    -- the last delivery that was looked at
    up_to        INTEGER NOT NULL,              -- the newest delivery when it began
    state        TEXT    NOT NULL,
    by           TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    finished_at  INTEGER,                       -- set exactly when the state is not 'running'
    CHECK ((finished_at IS NULL) = (state = 'running'))
) STRICT;
-- Those to go on with after a restart.
CREATE INDEX replay_running ON replay (id) WHERE finished_at IS NULL;
-- Retention of replays.
CREATE INDEX replay_by_end ON replay (finished_at) WHERE finished_at IS NOT NULL;

-- Destinations that a person has paused.
CREATE TABLE pause (
    destination TEXT    NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    by          TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- The files of large bodies.
CREATE TABLE blob (
    sha256 BLOB    NOT NULL PRIMARY KEY,
    bytes  INTEGER NOT NULL,
    events INTEGER NOT NULL                     -- how many name it; the row goes with the last one
) STRICT, WITHOUT ROWID;
INSERT INTO blob (sha256, bytes, events)
    SELECT blob, max(body_bytes), count(*) FROM event WHERE blob IS NOT NULL GROUP BY blob;

-- A database of schema version 1, as text. Do not edit: it stands for the files that users have.
PRAGMA page_size = 16384;
PRAGMA application_id = 1349735021;
PRAGMA user_version = 1;

-- An accepted webhook. `seq` is the order of acceptance; AUTOINCREMENT because a number that was once an event's, or
-- a page's cursor, must never mean another one after retention has removed the newest rows.
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB    NOT NULL UNIQUE,   -- a UUIDv7: grows with time, so the index is written at its end
    received_at  INTEGER NOT NULL,          -- all times are milliseconds since 1970-01-01T00:00:00Z
    source       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    subject      TEXT,
    ordering_key TEXT    NOT NULL,
    verdict      TEXT,
    classifier   INTEGER NOT NULL,          -- version of the rules that recognised it
    facts        TEXT    NOT NULL,          -- JSON object of texts
    note         TEXT,
    labels       TEXT    NOT NULL,          -- JSON object of texts
    explanations TEXT    NOT NULL,          -- JSON array: what each route said
    content_type TEXT,
    body_bytes   INTEGER NOT NULL,
    blob         BLOB,                      -- SHA-256 of a body that is kept as a file
    body         BLOB,                      -- last, so that lists never read through it
    CHECK ((blob IS NULL) <> (body IS NULL))
) STRICT;

-- An index ends with the row's number by itself, so each of these gives its rows in order of acceptance.
-- Lists of events of one kind, by one source, about one monitor or collection.
CREATE INDEX event_by_kind ON event (kind);
CREATE INDEX event_by_source ON event (source);
CREATE INDEX event_by_subject ON event (subject) WHERE subject IS NOT NULL;

-- One event to one destination. `id` is the order within a lane, so it must grow for ever.
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- By id and not by seq: reading a million waiting deliveries back must not visit a million events.
    event        BLOB    NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    destination  TEXT    NOT NULL,
    route        TEXT    NOT NULL,
    lane         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,    -- those that count against the retry budget
    last_attempt INTEGER NOT NULL DEFAULT 0,    -- number of the newest row in `attempt`, 0 before the first
    due          INTEGER,
    created_at   INTEGER NOT NULL,
    finished_at  INTEGER,                       -- set exactly when the state is final
    CHECK ((finished_at IS NULL) = (state IN ('pending', 'retrying')))
) STRICT;

-- The deliveries of an event: its page, and the foreign key when retention removes it.
CREATE INDEX delivery_by_event ON delivery (event);
-- Lists for one destination.
CREATE INDEX delivery_by_destination ON delivery (destination);
-- Lists of one state, and what waits in order of acceptance after a restart. Without the delivered ones, nearly all
-- rows in the end: a delivery that goes through leaves this index instead of moving in it.
CREATE INDEX delivery_by_state ON delivery (state) WHERE state <> 'delivered';
-- The next deliveries of one lane, and how many wait for each destination. Holds waiting rows only, so it stays small.
-- `finished_at` is always NULL in it and only there so that SQLite counts without visiting the rows.
CREATE INDEX delivery_waiting ON delivery (destination, lane, finished_at) WHERE finished_at IS NULL;

-- One try of a delivery; those that do not count against the budget are here too.
CREATE TABLE attempt (
    delivery       INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number         INTEGER NOT NULL,
    started_at     INTEGER NOT NULL,
    finished_at    INTEGER NOT NULL,
    outcome        TEXT    NOT NULL,
    retry_after_ms INTEGER,
    code           TEXT    NOT NULL,
    message        TEXT    NOT NULL,
    record         TEXT,                        -- JSON object from the remote side
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

INSERT INTO event (seq, id, received_at, source, kind, subject, ordering_key, verdict, classifier, facts, note, labels,
                   explanations, content_type, body_bytes, blob, body) VALUES
    (1, x'00000001070707070707070707070707', 1767225600000, 'acme', 'monitor_run', '711a2044', 'monitor:711a2044', 'failed', 1,
     '{"monitor_name":"Night run","monitor_id":"711a2044"}', NULL, '{"team":"payments"}',
     '[{"route":"monitor runs","matched":true,"reasons":[{"condition":"kinds","wanted":"monitor_run","found":"monitor_run","holds":true}]}]',
     'application/json', 10, NULL, CAST('{"run": 1}' AS BLOB)),
    (2, x'00000002070707070707070707070707', 1767225600001, 'acme', 'unrecognized', NULL, 'source:acme', NULL, 1,
     '{}', 'the body is empty', '{}', '[]', NULL, 0, NULL, x'');
INSERT INTO delivery (id, event, destination, route, lane, state, attempts, last_attempt, due, created_at, finished_at) VALUES
    (1, x'00000001070707070707070707070707', 'itoc360', 'monitor runs', 'monitor:711a2044', 'delivered', 1, 2, NULL, 1767225600000, 1767225640000),
    (2, x'00000001070707070707070707070707', 'forward', 'monitor runs', 'monitor:711a2044', 'retrying', 1, 1, 1767225605000, 1767225600000, NULL);
INSERT INTO attempt (delivery, number, started_at, finished_at, outcome, retry_after_ms, code, message, record) VALUES
    (1, 1, 1767225600002, 1767225600003, 'rate_limited', 30000, 'http_429', 'slow down', NULL),
    (1, 2, 1767225630000, 1767225640000, 'delivered', NULL, '', '', '{"type":"ALERT"}'),
    (2, 1, 1767225600002, 1767225600004, 'retry', NULL, 'http_503', 'busy', NULL);
-- Deliveries up to 7 were there once.
UPDATE sqlite_sequence SET seq = 7 WHERE name = 'delivery';

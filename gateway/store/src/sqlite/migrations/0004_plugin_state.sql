-- What plugins keep, apart for each destination. With a rowid, so that the index on keys holds no values.
CREATE TABLE plugin_state (
    id          INTEGER PRIMARY KEY,
    destination TEXT    NOT NULL,
    key         BLOB    NOT NULL,               -- UTF-8; as bytes, so that it is compared byte by byte
    version     INTEGER NOT NULL,
    expires_at  INTEGER,
    value       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX plugin_state_by_key ON plugin_state (destination, key);
-- Retention of what has expired.
CREATE INDEX plugin_state_by_expiry ON plugin_state (expires_at) WHERE expires_at IS NOT NULL;

-- How much a destination keeps, with what has expired and is not yet removed. The row outlives the last key, because a
-- version must never be given again.
CREATE TABLE plugin_state_usage (
    destination  TEXT    NOT NULL PRIMARY KEY,
    last_version INTEGER NOT NULL,
    keys         INTEGER NOT NULL,
    bytes        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

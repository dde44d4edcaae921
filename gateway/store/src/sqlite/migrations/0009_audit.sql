-- What people and signals changed. Rows are only added, and go with age.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    who        TEXT    NOT NULL,
    via        TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    object     TEXT,
    before     TEXT,                            -- JSON object
    after      TEXT,                            -- JSON object
    outcome    TEXT    NOT NULL,
    code       TEXT,                            -- of the problem; NULL when there was none
    request_id TEXT
) STRICT;
-- Lists of one person.
CREATE INDEX audit_by_who ON audit (who);
-- Retention.
CREATE INDEX audit_by_age ON audit (at);

-- API keys that were made at run time. Those of the configuration are not here.
CREATE TABLE api_key (
    name       TEXT    NOT NULL PRIMARY KEY,
    role       TEXT    NOT NULL,
    sha256     BLOB    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    expires_at INTEGER                          -- NULL: never
) STRICT, WITHOUT ROWID;

-- When keys were used last, those of the configuration too.
CREATE TABLE api_key_use (
    name       TEXT    NOT NULL,
    configured INTEGER NOT NULL,                -- 1: a key of the configuration
    at         INTEGER NOT NULL,
    PRIMARY KEY (name, configured)
) STRICT, WITHOUT ROWID;

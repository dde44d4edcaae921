-- The newest delivery that was made of this one.
ALTER TABLE delivery ADD COLUMN replayed_by INTEGER;

-- Which rows of a run of 1024 hold which terms, one row per run instead of index entries per event. Events by kind,
-- source and subject; deliveries by lane. `postings.rs` has the format.
CREATE TABLE event_segment (
    number   INTEGER PRIMARY KEY,               -- event.seq / 1024
    postings BLOB    NOT NULL
) STRICT;
CREATE TABLE delivery_segment (
    number   INTEGER PRIMARY KEY,               -- delivery.id / 1024
    postings BLOB    NOT NULL
) STRICT;
DROP INDEX event_by_kind;
DROP INDEX event_by_source;
DROP INDEX event_by_subject;
DROP INDEX delivery_waiting_in_lane;

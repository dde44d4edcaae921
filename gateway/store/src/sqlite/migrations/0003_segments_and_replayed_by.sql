-- The delivery that repeats this one. The deliveries of an event to one destination are a chain: only its newest goes
-- again. Until here several could repeat the same one; now each is followed by the next.
ALTER TABLE delivery ADD COLUMN replayed_by INTEGER;
UPDATE delivery
SET replayed_by = (SELECT min(again.id) FROM delivery AS again INDEXED BY delivery_by_event
                   WHERE again.event = delivery.event AND again.destination = delivery.destination
                     AND again.id > delivery.id AND again.replay_of IS NOT NULL)
WHERE event IN (SELECT event FROM delivery WHERE replay_of IS NOT NULL);

-- A replay takes what had become final by then.
ALTER TABLE replay ADD COLUMN final_by INTEGER NOT NULL DEFAULT 0;
UPDATE replay SET final_by = created_at;

-- Which rows of a run of 1024 hold which terms, and when they were made, one row per run instead of index entries per
-- event. Events by kind, source and subject; deliveries by destination and lane. `postings.rs` has the format.
CREATE TABLE event_segment (
    number   INTEGER PRIMARY KEY,               -- event.seq / 1024
    oldest   INTEGER NOT NULL,                  -- of received_at
    newest   INTEGER NOT NULL,
    postings BLOB    NOT NULL
) STRICT;
CREATE INDEX event_segment_times ON event_segment (number, oldest, newest);
CREATE TABLE delivery_segment (
    number   INTEGER PRIMARY KEY,               -- delivery.id / 1024
    oldest   INTEGER NOT NULL,                  -- of created_at
    newest   INTEGER NOT NULL,
    postings BLOB    NOT NULL
) STRICT;
CREATE INDEX delivery_segment_times ON delivery_segment (number, oldest, newest);
DROP INDEX event_by_kind;
DROP INDEX event_by_source;
DROP INDEX event_by_subject;
DROP INDEX delivery_by_destination;
DROP INDEX delivery_waiting_in_lane;
DROP TABLE delivery_span;

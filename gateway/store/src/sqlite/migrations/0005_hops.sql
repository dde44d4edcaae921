-- How many plugins stand behind an event: 0 for what came in. Behind the body all the same: 0 and 1 take no room of
-- their own in a row, so lists need not read through the body for them.
ALTER TABLE event ADD COLUMN hops INTEGER NOT NULL DEFAULT 0;

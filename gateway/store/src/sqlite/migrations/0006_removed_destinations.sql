-- When a destination was first seen to be no longer configured; what its plugin kept goes a good while after.
ALTER TABLE plugin_state_usage ADD COLUMN removed_at INTEGER;

-- Why the next free agent calls instead of the one who was asked for.
ALTER TABLE callback ADD COLUMN fallback TEXT;
ALTER TABLE callback ADD COLUMN fallback_detail TEXT;

-- When the person wants to be called (`2026-12-01T10:00:00/12:00:00[Europe/Berlin]`), who keeps that until then (`webex` or
-- `store`), what Webex names it by, and the window that it is being moved to.
ALTER TABLE callback ADD COLUMN schedule TEXT;
ALTER TABLE callback ADD COLUMN schedule_keeper TEXT;
ALTER TABLE callback ADD COLUMN schedule_id TEXT;
ALTER TABLE callback ADD COLUMN schedule_wanted TEXT;
CREATE UNIQUE INDEX callback_schedule_id ON callback (schedule_id) WHERE schedule_id IS NOT NULL;

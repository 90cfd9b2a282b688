-- Whether nobody chose the window: it was asked for as soon as possible while the site was closed.
ALTER TABLE callback ADD COLUMN at_opening INTEGER NOT NULL DEFAULT 0;

-- When the window begins that takes a place in a slot, and the one that it is being moved to, until the callback is over.
ALTER TABLE callback ADD COLUMN begins_at INTEGER;
ALTER TABLE callback ADD COLUMN wanted_at INTEGER;

-- How many begin in a slot.
CREATE INDEX callback_begins ON callback (site, begins_at) WHERE begins_at IS NOT NULL;
CREATE INDEX callback_wanted ON callback (site, wanted_at) WHERE wanted_at IS NOT NULL;

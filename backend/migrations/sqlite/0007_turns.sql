-- What the dispatcher asks for, site by site.
CREATE INDEX callback_due_site ON callback (site, due_at, id) WHERE due_at IS NOT NULL;

-- The sealed tokens for Webex: one row.
CREATE TABLE credential (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision     INTEGER NOT NULL,
    sealed       BLOB    NOT NULL,
    leased_until INTEGER
) STRICT;

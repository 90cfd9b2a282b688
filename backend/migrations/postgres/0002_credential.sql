-- The sealed tokens for Webex: one row.
CREATE TABLE credential (
    id           BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    revision     BIGINT NOT NULL,
    sealed       BYTEA  NOT NULL,
    leased_until BIGINT
);

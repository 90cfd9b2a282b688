-- Preferred-agent links that are worth nothing any more: one (`link:` and a digest of its token), or all of an agent that were
-- made until then (`agent:` and the handle).
CREATE TABLE revoked_link (
    subject    TEXT    NOT NULL PRIMARY KEY,
    revoked_at INTEGER NOT NULL
) STRICT;

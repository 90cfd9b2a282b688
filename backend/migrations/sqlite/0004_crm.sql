-- What a CRM adds to the attributes of the task: a JSON object of strings.
ALTER TABLE callback ADD COLUMN attributes TEXT;

-- What a CRM lists: the callbacks of its site, newest first. Ids sort by the moment they were made.
CREATE INDEX callback_site ON callback (site, id);

-- Keys for the REST door. The key itself is not kept: the digest is enough to know it again.
CREATE TABLE api_key (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    digest       BLOB    NOT NULL,
    sites        TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT;

-- Messages to CRMs, written in the transaction of the change that they tell of. `due_at` is NULL once there is nothing
-- more to do.
CREATE TABLE outgoing_message (
    webhook     TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    callback_id TEXT    NOT NULL REFERENCES callback (id) ON DELETE CASCADE,
    body        TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    due_at      INTEGER,
    PRIMARY KEY (webhook, id)
) STRICT;

CREATE INDEX outgoing_message_due ON outgoing_message (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outgoing_message_created ON outgoing_message (created_at);

-- Every attempt to deliver one.
CREATE TABLE outgoing_attempt (
    webhook    TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    begun_at   INTEGER NOT NULL,
    took_ms    INTEGER NOT NULL,
    status     INTEGER,
    outcome    TEXT    NOT NULL,
    FOREIGN KEY (webhook, message_id) REFERENCES outgoing_message (webhook, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX outgoing_attempt_message ON outgoing_attempt (webhook, message_id);

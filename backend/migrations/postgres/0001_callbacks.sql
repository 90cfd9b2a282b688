-- A callback: request and outgoing work in one row, so that neither exists without the other. Times are milliseconds
-- since 1970, UTC.
CREATE TABLE callback (
    id              TEXT    NOT NULL PRIMARY KEY,
    site            TEXT    NOT NULL,
    door            TEXT    NOT NULL,
    phone           TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    message         TEXT    NOT NULL,
    page            TEXT    NOT NULL,
    locale          TEXT    NOT NULL,
    agent           TEXT,
    reference       TEXT,
    consent_version TEXT,
    state           TEXT    NOT NULL,
    failure         TEXT,
    failure_detail  TEXT,
    task_id         TEXT    UNIQUE,
    attempts        BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    deadline        BIGINT  NOT NULL,
    due_at          BIGINT,
    poll_at         BIGINT,
    sent_at         BIGINT,
    last_event_at   BIGINT,
    revision        BIGINT  NOT NULL
);

-- What the dispatcher asks for: the callbacks with something to do, the longest due first.
CREATE INDEX callback_due ON callback (due_at, id) WHERE due_at IS NOT NULL;

-- What the poller asks for: the callbacks with a task of which nothing was heard for a while.
CREATE INDEX callback_quiet ON callback (poll_at, id) WHERE poll_at IS NOT NULL;

-- Requests that a client named with a key, so that a repeated post is answered and not taken again.
CREATE TABLE idempotency (
    scope       TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    fingerprint BYTEA  NOT NULL,
    callback_id TEXT   NOT NULL REFERENCES callback (id),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Every request to Webex about a callback.
CREATE TABLE attempt (
    number      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    callback_id TEXT   NOT NULL REFERENCES callback (id),
    operation   TEXT   NOT NULL,
    begun_at    BIGINT NOT NULL,
    took_ms     BIGINT NOT NULL,
    status      BIGINT,
    tracking_id TEXT   NOT NULL,
    outcome     TEXT   NOT NULL
);

CREATE INDEX attempt_callback ON attempt (callback_id);

-- Events of Webex about tasks, kept before they are acted on: one may come before the answer that names its task.
CREATE TABLE task_event (
    number      BIGINT GENERATED ALWAYS AS IDENTITY,
    id          TEXT    NOT NULL PRIMARY KEY,
    task_id     TEXT    NOT NULL,
    change      TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    reason      TEXT,
    received_at BIGINT  NOT NULL,
    applied     BOOLEAN NOT NULL
);

CREATE INDEX task_event_task ON task_event (task_id);
CREATE INDEX task_event_received ON task_event (received_at);

-- Keys that sign follow tokens and links.
CREATE TABLE signing_key (
    id         TEXT   NOT NULL PRIMARY KEY,
    secret     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

-- The processes that serve from this database, each with its last sign of life: they share what Webex allows one client.
CREATE TABLE instance (
    id           TEXT        NOT NULL PRIMARY KEY,
    seen_at      TIMESTAMPTZ NOT NULL,
    paused_until BIGINT
);

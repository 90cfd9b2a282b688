-- no-transaction
-- Each index is one more place to write for each request. A row now lies where its id is looked up, a task's id is written once
-- there is one, and a claim is found through what is to be done about its callback. What cannot be done with a table that is there
-- is done with a new one; foreign keys are off meanwhile, because dropping the old one would take what refers to it along.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

CREATE TABLE compact_callback (
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
    task_id         TEXT,
    attempts        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    deadline        INTEGER NOT NULL,
    due_at          INTEGER,
    poll_at         INTEGER,
    sent_at         INTEGER,
    last_event_at   INTEGER,
    revision        INTEGER NOT NULL,
    fallback        TEXT,
    fallback_detail TEXT,
    schedule        TEXT,
    schedule_keeper TEXT,
    schedule_id     TEXT,
    schedule_wanted TEXT,
    attributes      TEXT,
    claim           TEXT,
    ended_at        INTEGER,
    erased_at       INTEGER,
    sealed          BLOB,
    at_opening      INTEGER NOT NULL DEFAULT 0,
    begins_at       INTEGER,
    wanted_at       INTEGER,
    fields          TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO compact_callback
SELECT id, site, door, phone, name, email, reason, message, page, locale, agent, reference, consent_version, state, failure,
       failure_detail, task_id, attempts, created_at, updated_at, deadline, due_at, poll_at, sent_at, last_event_at, revision,
       fallback, fallback_detail, schedule, schedule_keeper, schedule_id, schedule_wanted, attributes, claim, ended_at, erased_at,
       sealed, at_opening, begins_at, wanted_at, fields
FROM callback ORDER BY id;

DROP TABLE callback;
ALTER TABLE compact_callback RENAME TO callback;

CREATE INDEX callback_site ON callback (site, id);
CREATE INDEX callback_due_site ON callback (site, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX callback_quiet ON callback (poll_at, id) WHERE poll_at IS NOT NULL;
CREATE UNIQUE INDEX callback_task ON callback (task_id) WHERE task_id IS NOT NULL;
CREATE UNIQUE INDEX callback_schedule_id ON callback (schedule_id) WHERE schedule_id IS NOT NULL;
CREATE INDEX callback_ended ON callback (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX callback_ended_phone ON callback (phone, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX callback_begins ON callback (site, begins_at) WHERE begins_at IS NOT NULL;
CREATE INDEX callback_wanted ON callback (site, wanted_at) WHERE wanted_at IS NOT NULL;
-- Callbacks with a claim about which nothing is to be done: those that an operator has to look at.
CREATE INDEX callback_held ON callback (id) WHERE claim IS NOT NULL AND due_at IS NULL AND poll_at IS NULL;

COMMIT;
PRAGMA foreign_keys = ON;

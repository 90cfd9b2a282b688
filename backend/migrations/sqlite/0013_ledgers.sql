-- Texts that visitors agreed to, word for word, by the SHA-256 of each.
CREATE TABLE consent_text (
    hash       TEXT    NOT NULL PRIMARY KEY,
    text       TEXT    NOT NULL,
    policy_url TEXT    NOT NULL,
    first_at   INTEGER NOT NULL
) STRICT;

-- Who agreed to what and when, and who took it back. The person is a hash of the number. Apart from callbacks: it is kept for
-- a time of its own.
CREATE TABLE consent (
    person      TEXT    NOT NULL,
    given       INTEGER NOT NULL,
    site        TEXT    NOT NULL,
    text_hash   TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    page        TEXT    NOT NULL,
    callback_id TEXT,
    at          INTEGER NOT NULL
) STRICT;

-- What operators and keys did.
CREATE TABLE audit (
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL
) STRICT;

-- Nothing in these is ever changed, and nothing leaves them that is younger than the shortest time for which they can be kept.
CREATE TRIGGER consent_text_stays BEFORE UPDATE ON consent_text
BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END;
CREATE TRIGGER consent_stays BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END;
CREATE TRIGGER consent_is_kept BEFORE DELETE ON consent WHEN OLD.at > (unixepoch() - 2592000) * 1000
BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit WHEN OLD.at > (unixepoch() - 2592000) * 1000
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;

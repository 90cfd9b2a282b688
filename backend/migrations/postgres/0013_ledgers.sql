-- Texts that visitors agreed to, word for word, by the SHA-256 of each.
CREATE TABLE consent_text (
    hash       TEXT   NOT NULL PRIMARY KEY,
    text       TEXT   NOT NULL,
    policy_url TEXT   NOT NULL,
    first_at   BIGINT NOT NULL
);

-- Who agreed to what and when, and who took it back. The person is a hash of the number. Apart from callbacks: it is kept for
-- a time of its own.
CREATE TABLE consent (
    number      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person      TEXT    NOT NULL,
    given       BOOLEAN NOT NULL,
    site        TEXT    NOT NULL,
    text_hash   TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    page        TEXT    NOT NULL,
    callback_id TEXT,
    at          BIGINT  NOT NULL
);

-- What operators and keys did.
CREATE TABLE audit (
    number  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    detail  TEXT   NOT NULL
);

-- Nothing in these is ever changed, and nothing leaves them that is younger than the shortest time for which they can be kept.
CREATE FUNCTION ringback_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at <= (extract(epoch FROM now()) - 2592000) * 1000 THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the table % is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER consent_text_stays BEFORE UPDATE ON consent_text
    FOR EACH ROW EXECUTE FUNCTION ringback_append_only();
CREATE TRIGGER consent_stays BEFORE UPDATE OR DELETE ON consent
    FOR EACH ROW EXECUTE FUNCTION ringback_append_only();
CREATE TRIGGER consent_is_kept BEFORE TRUNCATE ON consent
    FOR EACH STATEMENT EXECUTE FUNCTION ringback_append_only();
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION ringback_append_only();
CREATE TRIGGER audit_is_kept BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION ringback_append_only();

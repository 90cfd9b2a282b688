-- The texts stay for as long as anybody may have agreed to one.
CREATE FUNCTION ringback_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the table % is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER consent_text_is_kept BEFORE DELETE ON consent_text
    FOR EACH ROW EXECUTE FUNCTION ringback_stays();
CREATE TRIGGER consent_text_is_whole BEFORE TRUNCATE ON consent_text
    FOR EACH STATEMENT EXECUTE FUNCTION ringback_stays();

-- Of some, no end was ever heard, and nobody asks any more: their personal data has its time too.
UPDATE callback SET ended_at = updated_at
WHERE ended_at IS NULL AND erased_at IS NULL AND due_at IS NULL AND poll_at IS NULL;

-- The texts stay for as long as anybody may have agreed to one.
CREATE TRIGGER consent_text_is_kept BEFORE DELETE ON consent_text
BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END;

-- REPLACE takes the place of a row, and fires neither what guards changes nor what guards deletions.
CREATE TRIGGER consent_text_is_new BEFORE INSERT ON consent_text
WHEN EXISTS (SELECT 1 FROM consent_text WHERE hash = NEW.hash)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER consent_is_new BEFORE INSERT ON consent WHEN EXISTS (SELECT 1 FROM consent WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END;
CREATE TRIGGER audit_is_new BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;

-- Of some, no end was ever heard, and nobody asks any more: their personal data has its time too.
UPDATE callback SET ended_at = updated_at
WHERE ended_at IS NULL AND erased_at IS NULL AND due_at IS NULL AND poll_at IS NULL;

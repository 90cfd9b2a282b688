-- What makes a second request join the first instead of ringing twice: at most one callback that is not over has a claim.
ALTER TABLE callback ADD COLUMN claim TEXT;
CREATE UNIQUE INDEX callback_claim ON callback (claim) WHERE claim IS NOT NULL;

-- Whether the request with that key joined a callback that was there. A key is written before its callback.
ALTER TABLE idempotency ADD COLUMN joined BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE idempotency ALTER CONSTRAINT idempotency_callback_id_fkey DEFERRABLE INITIALLY DEFERRED;

-- What makes a second request join the first instead of ringing twice: at most one callback that is not over has a claim.
ALTER TABLE callback ADD COLUMN claim TEXT;
CREATE UNIQUE INDEX callback_claim ON callback (claim) WHERE claim IS NOT NULL;

-- Whether the request with that key joined a callback that was there.
ALTER TABLE idempotency ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;

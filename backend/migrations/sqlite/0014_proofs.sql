-- Challenges that were solved and used, until they would have run out: each is good for one request.
CREATE TABLE spent_challenge (
    id         TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX spent_challenge_expires ON spent_challenge (expires_at);

-- Whether a call to a number has just ended. Rows come in here when they end, so that taking a request costs nothing more.
CREATE INDEX callback_ended_phone ON callback (phone, ended_at) WHERE ended_at IS NOT NULL;

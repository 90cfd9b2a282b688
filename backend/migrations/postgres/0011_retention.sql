-- When a callback ended, until its personal data is erased; and when that was.
ALTER TABLE callback ADD COLUMN ended_at BIGINT;
ALTER TABLE callback ADD COLUMN erased_at BIGINT;
UPDATE callback SET ended_at = updated_at WHERE state IN ('completed', 'failed', 'expired', 'cancelled', 'untraced');

-- What is to be erased next. A callback that has not ended is not in here.
CREATE INDEX callback_ended ON callback (ended_at) WHERE ended_at IS NOT NULL;

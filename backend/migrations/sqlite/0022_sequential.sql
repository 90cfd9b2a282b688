-- Numbers come in no order, so each claim wrote a page of its own. Who has a claim is kept in the memory of the one process that
-- serves; this is for its start, and written in the order of time.
DROP INDEX callback_claim;
CREATE INDEX callback_claimed ON callback (id) WHERE claim IS NOT NULL;

-- What is due is asked site by site.
DROP INDEX callback_due;

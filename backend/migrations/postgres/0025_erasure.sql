-- What goes with a callback that is erased is found by the callback: without these, each erasure read every key and every message that
-- there is. Ids come in the order of time, so each entry is written behind the one before.
CREATE INDEX idempotency_callback ON idempotency (callback_id);
CREATE INDEX outgoing_message_callback ON outgoing_message (callback_id);

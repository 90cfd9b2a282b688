-- What goes with a callback that is erased is found by the callback: without this, each erasure read every message that there is, and
-- whoever wanted to be called waited for it.
CREATE INDEX outgoing_message_callback ON outgoing_message (callback_id);

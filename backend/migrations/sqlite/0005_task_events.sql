-- All events of a task are read together, those that were acted on too.
DROP INDEX task_event_pending;
CREATE INDEX task_event_task ON task_event (task_id);

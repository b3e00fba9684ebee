CREATE INDEX events_by_action ON events (action, id);
CREATE INDEX events_by_actor ON events (actor_id, id);
CREATE INDEX events_by_subject_name ON events (subject_kind, subject_name, id);

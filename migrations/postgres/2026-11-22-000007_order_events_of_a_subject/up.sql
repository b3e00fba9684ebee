DROP INDEX events_by_subject;
CREATE INDEX events_by_subject ON events (subject_kind, subject_id, id);

DROP INDEX events_by_subject_name;
DROP INDEX events_by_actor;
DROP INDEX events_by_action;

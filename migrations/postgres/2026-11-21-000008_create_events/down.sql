DROP TABLE events;
DROP FUNCTION refuse_change_of_events;

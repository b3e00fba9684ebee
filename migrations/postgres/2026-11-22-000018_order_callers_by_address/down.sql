DROP INDEX callers_by_day;
ALTER TABLE callers DROP CONSTRAINT callers_pkey;
ALTER TABLE callers ADD PRIMARY KEY (repository_id, token_id, day, address, user_agent);
CREATE INDEX callers_by_day ON callers (day);
CREATE INDEX callers_by_token ON callers (token_id, day);

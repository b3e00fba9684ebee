DROP INDEX callers_by_token;
ALTER TABLE callers DROP CONSTRAINT callers_pkey;
ALTER TABLE callers ADD PRIMARY KEY (token_id, repository_id, day, address, user_agent);
CREATE INDEX callers_by_repository ON callers (repository_id, day);

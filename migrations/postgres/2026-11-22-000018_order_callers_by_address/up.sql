-- The pages of a repository add up the days of each caller, which this order needs no sorting for.
DROP INDEX callers_by_token;
DROP INDEX callers_by_day;
ALTER TABLE callers DROP CONSTRAINT callers_pkey;
ALTER TABLE callers ADD PRIMARY KEY (token_id, repository_id, address, user_agent, day);
CREATE INDEX callers_by_day ON callers (day, token_id, repository_id);

DROP INDEX callers_by_repository;
DROP INDEX callers_by_day;
ALTER TABLE callers RENAME TO wide_callers;
CREATE TABLE callers (
    api_token_id TEXT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (api_token_id, day, address, user_agent)
) STRICT;
INSERT INTO callers (api_token_id, day, address, user_agent, first_used_at, last_used_at, uses)
    SELECT token_id, day, address, user_agent, min(first_used_at), max(last_used_at), sum(uses) FROM wide_callers
    WHERE token_id IN (SELECT id FROM api_tokens) GROUP BY token_id, day, address, user_agent;
DROP TABLE wide_callers;
CREATE INDEX callers_by_day ON callers (day);

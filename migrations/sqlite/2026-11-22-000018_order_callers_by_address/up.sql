-- The pages of a repository add up the days of each caller, which this order needs no sorting for.
DROP INDEX callers_by_token;
DROP INDEX callers_by_day;
ALTER TABLE callers RENAME TO former_callers;
CREATE TABLE callers (
    token_id TEXT NOT NULL, -- an API token, a service, the repository whose own token was used, or empty for all together
    repository_id TEXT NOT NULL, -- where it was used; empty where no repository was asked for
    day INTEGER NOT NULL, -- days since 1970-01-01
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (token_id, repository_id, address, user_agent, day)
) STRICT, WITHOUT ROWID; -- a page reads its rows one after the other
INSERT INTO callers (token_id, repository_id, day, address, user_agent, first_used_at, last_used_at, uses)
    SELECT token_id, repository_id, day, address, user_agent, first_used_at, last_used_at, uses FROM former_callers;
DROP TABLE former_callers;
CREATE INDEX callers_by_day ON callers (day, token_id, repository_id);

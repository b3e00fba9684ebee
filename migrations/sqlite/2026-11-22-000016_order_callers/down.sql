DROP INDEX callers_by_token;
DROP INDEX callers_by_day;
ALTER TABLE callers RENAME TO ordered_callers;
CREATE TABLE callers (
    token_id TEXT NOT NULL,
    repository_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (token_id, repository_id, day, address, user_agent)
) STRICT;
INSERT INTO callers (token_id, repository_id, day, address, user_agent, first_used_at, last_used_at, uses)
    SELECT token_id, repository_id, day, address, user_agent, first_used_at, last_used_at, uses FROM ordered_callers;
DROP TABLE ordered_callers;
CREATE INDEX callers_by_day ON callers (day);
CREATE INDEX callers_by_repository ON callers (repository_id, day);

DROP INDEX grants_by_repository;
ALTER TABLE grants RENAME TO former_grants;
CREATE TABLE grants (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    permission TEXT NOT NULL, -- read or write
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, repository_id)
) STRICT;
INSERT INTO grants (user_id, repository_id, permission, created_at)
    SELECT user_id, repository_id, permission, created_at FROM former_grants;
DROP TABLE former_grants;
CREATE INDEX grants_by_repository ON grants (repository_id, user_id, permission, created_at);

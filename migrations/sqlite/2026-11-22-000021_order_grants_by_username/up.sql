-- A page of a repository reads its grants in the order in which it shows them. A username never changes.
DROP INDEX grants_by_repository;
ALTER TABLE grants RENAME TO former_grants;
CREATE TABLE grants (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    permission TEXT NOT NULL, -- read or write
    created_at INTEGER NOT NULL,
    username TEXT NOT NULL, -- of the user
    PRIMARY KEY (user_id, repository_id)
) STRICT, WITHOUT ROWID; -- a check finds the grant at its first look
INSERT INTO grants (user_id, repository_id, permission, created_at, username)
    SELECT user_id, repository_id, permission, former_grants.created_at, username
    FROM former_grants JOIN users ON users.id = user_id;
DROP TABLE former_grants;
CREATE INDEX grants_by_repository ON grants (repository_id, username, permission, created_at);

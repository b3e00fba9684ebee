CREATE TABLE repositories (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE grants (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    permission TEXT NOT NULL, -- read or write
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, repository_id)
) STRICT;
CREATE INDEX grants_by_repository ON grants (repository_id);

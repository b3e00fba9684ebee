CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL, -- the name in lower case
    hint TEXT NOT NULL, -- prefix and first characters of the current secret
    secret_id TEXT NOT NULL, -- the current secret
    repositories_permission TEXT NOT NULL,
    account_permission TEXT NOT NULL,
    administration_permission TEXT NOT NULL,
    repository_selection TEXT NOT NULL, -- all or selected
    lifetime INTEGER, -- seconds; none for no expiry
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    disabled_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    last_used_address TEXT
) STRICT;
CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (user_id, name_key) WHERE revoked_at IS NULL;
CREATE INDEX api_tokens_by_user ON api_tokens (user_id, revoked_at);
CREATE TABLE api_token_repositories (
    api_token_id TEXT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    PRIMARY KEY (api_token_id, repository_id)
) STRICT;
CREATE INDEX api_token_repositories_by_repository ON api_token_repositories (repository_id);
CREATE TABLE api_token_secrets (
    id TEXT NOT NULL PRIMARY KEY,
    api_token_id TEXT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    digest BLOB NOT NULL UNIQUE, -- SHA-256
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER, -- when it stops working; none for the current one
    form_nonce TEXT NOT NULL UNIQUE -- of the form that made it
) STRICT;
CREATE INDEX api_token_secrets_by_token ON api_token_secrets (api_token_id);

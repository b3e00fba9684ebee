CREATE TABLE repository_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL, -- 1 for the token that was made with the repository
    digest BLOB NOT NULL UNIQUE, -- SHA-256
    hint TEXT NOT NULL,
    sealed BLOB, -- nonce and XChaCha20-Poly1305 ciphertext; none where the token cannot be shown again
    key_id TEXT, -- of the key that sealed it
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL, -- username
    ends_at INTEGER, -- when it stops working; none for the current one
    last_used_at INTEGER,
    last_used_address TEXT,
    form_nonce TEXT NOT NULL UNIQUE, -- of the form that made it
    UNIQUE (repository_id, generation)
) STRICT;
CREATE UNIQUE INDEX repository_tokens_current ON repository_tokens (repository_id) WHERE ends_at IS NULL;
CREATE INDEX repository_tokens_by_key ON repository_tokens (key_id);

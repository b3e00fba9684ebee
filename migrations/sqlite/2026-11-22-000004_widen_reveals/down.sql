DROP TABLE reveals;
CREATE TABLE reveals (
    api_token_id TEXT NOT NULL PRIMARY KEY REFERENCES api_tokens (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    key_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX reveals_by_session ON reveals (session_id);

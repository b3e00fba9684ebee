DROP TABLE reveals; -- what lies here waits for 5 minutes at most
CREATE TABLE reveals (
    subject_id TEXT NOT NULL, -- the API token, repository or user whose secret it is
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL, -- nonce and XChaCha20-Poly1305 ciphertext of the secret
    key_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (subject_id, session_id)
);
CREATE INDEX reveals_by_session ON reveals (session_id);

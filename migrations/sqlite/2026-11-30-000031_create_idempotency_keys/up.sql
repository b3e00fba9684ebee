CREATE TABLE idempotency_keys (
    credential BLOB NOT NULL, -- SHA-256 of the secret that the request presented
    key TEXT NOT NULL, -- value of the header Idempotency-Key
    request BLOB NOT NULL, -- SHA-256 of method, address and body
    status INTEGER NOT NULL, -- of the answer
    sealed BLOB NOT NULL, -- nonce and XChaCha20-Poly1305 ciphertext of the answer
    key_id TEXT NOT NULL, -- of the key that sealed it
    secret_id TEXT, -- the new secret, where the request replaced the one that it presented
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (credential, key)
) STRICT;
CREATE INDEX idempotency_keys_by_secret ON idempotency_keys (secret_id);
-- Whether the first use of the secret must remove the stored answer that has it.
ALTER TABLE api_token_secrets ADD COLUMN first_use_pending INTEGER NOT NULL DEFAULT FALSE;
ALTER TABLE repository_tokens ADD COLUMN first_use_pending INTEGER NOT NULL DEFAULT FALSE;

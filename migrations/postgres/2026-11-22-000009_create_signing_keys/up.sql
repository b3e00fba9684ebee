CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY, -- fingerprint of the public key
    state TEXT NOT NULL, -- next, current or former
    public_key BYTEA NOT NULL,
    certificate TEXT NOT NULL, -- PEM
    sealed BYTEA, -- NULL of a former one, and once the key that sealed it was forgotten
    key_id TEXT,
    created_at BIGINT NOT NULL,
    bundled_at BIGINT, -- when a bundle for registries was first written with it
    replaced_at BIGINT -- of a former one
);
CREATE UNIQUE INDEX signing_keys_state ON signing_keys (state) WHERE state <> 'former';

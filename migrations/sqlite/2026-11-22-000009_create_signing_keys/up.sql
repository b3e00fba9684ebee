CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY, -- fingerprint of the public key
    state TEXT NOT NULL, -- next, current or former
    public_key BLOB NOT NULL,
    certificate TEXT NOT NULL, -- PEM
    sealed BLOB, -- NULL of a former one, and once the key that sealed it was forgotten
    key_id TEXT,
    created_at INTEGER NOT NULL,
    bundled_at INTEGER, -- when a bundle for registries was first written with it
    replaced_at INTEGER -- of a former one
) STRICT;
CREATE UNIQUE INDEX signing_keys_state ON signing_keys (state) WHERE state <> 'former';

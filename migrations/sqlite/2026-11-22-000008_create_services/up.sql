CREATE TABLE services (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of its token
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL, -- username
    token_created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    last_used_address TEXT,
    form_nonce TEXT NOT NULL UNIQUE -- of the form that made its token
) STRICT;

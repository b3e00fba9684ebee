CREATE TABLE services (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    digest BYTEA NOT NULL UNIQUE, -- SHA-256 of its token
    hint TEXT NOT NULL,
    generation BIGINT NOT NULL, -- 1 for the token that was made with the service
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, -- username
    token_created_at BIGINT NOT NULL,
    token_created_by TEXT NOT NULL, -- username; empty where somebody who held the former one revoked it
    last_used_at BIGINT,
    last_used_address TEXT,
    form_nonce TEXT NOT NULL UNIQUE, -- of the form that made its token
    search_key TEXT NOT NULL, -- name and description in lower case
    revision BIGINT NOT NULL -- counted up to lock the row
);
CREATE INDEX services_by_creation ON services (created_at, name);

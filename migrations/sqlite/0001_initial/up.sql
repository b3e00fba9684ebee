-- Ids are 63-bit numbers in the order of time, made by the application: see src/domain/id.rs. Times are seconds since
-- 1970-01-01 in UTC. A `key_id` names the key that sealed the value beside it.

-- Roles give privileges to users. The built-in ones are never changed.
CREATE TABLE roles (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    privileges TEXT NOT NULL, -- names divided by spaces
    built_in INTEGER NOT NULL
) STRICT;
INSERT INTO roles (id, name, title, privileges, built_in) VALUES
    (1, 'administrator', 'Administrator',
     'api_access view_repositories repository_management user_management system_management view_audit_log', TRUE),
    (2, 'repository-manager', 'Repository Manager',
     'api_access view_repositories repository_management', TRUE),
    (3, 'developer', 'Developer', 'api_access view_repositories', TRUE),
    (4, 'viewer', 'Viewer', 'view_repositories', TRUE);

-- People who sign in and own API tokens.
CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE, -- lower case
    display_name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT, -- argon2id in PHC form; NULL until the user has set a password
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL, -- counted up to lock the row
    search_key TEXT NOT NULL -- username, display name and email in lower case and NFC
) STRICT;
-- Each order of the list has an index.
-- A search reads this one instead of the table.
CREATE INDEX users_by_display_name ON users (display_name, username, search_key);
CREATE INDEX users_by_email ON users (email, username);
CREATE INDEX users_by_creation ON users (created_at, username);

CREATE TABLE user_roles (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_by_role ON user_roles (role_id);

-- Sessions of signed-in users. A session ends when its row is deleted.
CREATE TABLE sessions (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key_digest BLOB UNIQUE, -- SHA-256 of the session key in the cookie; NULL until the cookie is made
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL, -- last password entry
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);

-- Links with which a user sets a password: at most one for each user, valid as long as its maker may change the user.
CREATE TABLE password_links (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    made_by INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the code in the address
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- What tokens give access to.
CREATE TABLE repositories (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    search_key TEXT NOT NULL, -- name and description in lower case and NFC
    revision INTEGER NOT NULL DEFAULT 0, -- counted up to lock the row
    last_used_at INTEGER -- with any token
) STRICT;
CREATE INDEX repositories_by_creation ON repositories (created_at, name);
CREATE INDEX repositories_by_last_use ON repositories (last_used_at, name);
-- A search reads this index instead of the table. PostgreSQL would read the table for each row of the index as well.
CREATE INDEX repositories_by_search ON repositories (name, search_key);

-- A repository's own tokens: the current one, and replaced ones until they are pruned.
CREATE TABLE repository_tokens (
    id INTEGER NOT NULL PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL, -- 1 for the token that was made with the repository
    digest BLOB NOT NULL UNIQUE, -- SHA-256
    hint TEXT NOT NULL,
    sealed BLOB, -- nonce and XChaCha20-Poly1305 ciphertext; NULL where the token cannot be shown again
    key_id TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL, -- username
    valid_until INTEGER, -- NULL for the current one
    last_used_at INTEGER,
    last_used_address TEXT,
    form_nonce INTEGER NOT NULL UNIQUE, -- 63 bits of the SHA-256 of the nonce of the form that made it
    first_use_pending INTEGER NOT NULL DEFAULT FALSE, -- whether the first use must remove a row of idempotency_keys
    UNIQUE (repository_id, generation)
) STRICT;
CREATE UNIQUE INDEX repository_tokens_current ON repository_tokens (repository_id) WHERE valid_until IS NULL;
CREATE INDEX repository_tokens_by_key ON repository_tokens (key_id);

-- Which users may read or write a repository. A check finds the row by its key alone.
CREATE TABLE grants (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    permission TEXT NOT NULL, -- read or write
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, repository_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_repository ON grants (repository_id);

-- API tokens. Their secrets are in api_token_secrets.
CREATE TABLE api_tokens (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL, -- the name in lower case and NFC, without joiners
    note TEXT, -- what the owner wants to remember of it
    hint TEXT NOT NULL, -- prefix and first characters of the current secret
    secret_number INTEGER NOT NULL, -- of the current secret
    repositories_permission TEXT NOT NULL,
    account_permission TEXT NOT NULL,
    administration_permission TEXT NOT NULL,
    repository_selection TEXT NOT NULL, -- all or selected
    lifetime INTEGER, -- seconds; NULL for no expiry
    created_at INTEGER NOT NULL,
    rotated_at INTEGER, -- last rotation
    expires_at INTEGER,
    disabled_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (user_id, name_key) WHERE revoked_at IS NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (user_id, revoked_at) WHERE revoked_at IS NOT NULL;

-- The repositories of API tokens that are limited to some.
CREATE TABLE api_token_repositories (
    api_token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    PRIMARY KEY (api_token_id, repository_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_token_repositories_by_repository ON api_token_repositories (repository_id);

-- Secrets of API tokens: the current one, and replaced ones until they are pruned. A check finds the row by its key.
CREATE TABLE api_token_secrets (
    digest BLOB NOT NULL, -- SHA-256
    api_token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- 1 for the secret that was made with the token
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    valid_until INTEGER, -- NULL for the current one
    form_nonce INTEGER NOT NULL UNIQUE, -- 63 bits of the SHA-256 of the nonce of the form that made it
    first_use_pending INTEGER NOT NULL DEFAULT FALSE, -- whether the first use must remove a row of idempotency_keys
    PRIMARY KEY (digest),
    UNIQUE (api_token_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_token_secrets_replaced ON api_token_secrets (valid_until) WHERE valid_until IS NOT NULL;

-- Responses to requests with an Idempotency-Key, so that a request that is repeated is not carried out twice.
CREATE TABLE idempotency_keys (
    credential BLOB NOT NULL, -- SHA-256 of the secret that the request presented
    key TEXT NOT NULL, -- value of the header Idempotency-Key
    request BLOB NOT NULL, -- SHA-256 of method, address and body
    status INTEGER NOT NULL, -- of the response
    sealed BLOB NOT NULL, -- nonce and XChaCha20-Poly1305 ciphertext of the response
    key_id TEXT NOT NULL,
    secret_digest BLOB, -- of the new secret, where the request replaced the one that it presented
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (credential, key)
) STRICT;
CREATE INDEX idempotency_keys_by_secret ON idempotency_keys (secret_digest);

-- New secrets until they are shown, once, to the session that made them.
CREATE TABLE reveals (
    subject_id INTEGER NOT NULL, -- the API token, repository, service or user whose secret it is
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL, -- nonce and XChaCha20-Poly1305 ciphertext of the secret
    key_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (subject_id, session_id)
) STRICT;
CREATE INDEX reveals_by_session ON reveals (session_id);

-- Programs that may introspect tokens. Each has one token.
CREATE TABLE services (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of its token
    hint TEXT NOT NULL,
    generation INTEGER NOT NULL, -- 1 for the token that was made with the service
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL, -- username
    token_created_at INTEGER NOT NULL,
    token_created_by TEXT NOT NULL, -- username; empty where the previous token was revoked by possession
    last_used_at INTEGER,
    last_used_address TEXT,
    form_nonce INTEGER NOT NULL UNIQUE, -- 63 bits of the SHA-256 of the nonce of the form that made its token
    search_key TEXT NOT NULL, -- name and description in lower case and NFC
    revision INTEGER NOT NULL -- counted up to lock the row
) STRICT;
CREATE INDEX services_by_creation ON services (created_at, name);

-- Keys that sign registry tokens.
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY, -- fingerprint of the public key
    state TEXT NOT NULL, -- next, current or former
    public_key BLOB NOT NULL,
    certificate TEXT NOT NULL, -- PEM
    sealed BLOB, -- NULL for a former key, and once the key that sealed it was forgotten
    key_id TEXT,
    created_at INTEGER NOT NULL,
    bundled_at INTEGER, -- when a bundle for registries first contained it
    replaced_at INTEGER
) STRICT;
CREATE UNIQUE INDEX signing_keys_state ON signing_keys (state) WHERE state <> 'former';

-- Which clients used a token on each of the last 30 days: an API token, a service, or, under the id of the repository, the
-- repository's own tokens. The key is in the order in which a page adds up the days of each client.
CREATE TABLE token_clients (
    token_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL, -- empty where the client sent none
    day INTEGER NOT NULL, -- days since 1970-01-01
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (token_id, address, user_agent, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_clients_by_day ON token_clients (day, token_id);

-- The same of all clients of a day beyond those that have a row.
CREATE TABLE token_other_clients (
    token_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (token_id, day)
) STRICT, WITHOUT ROWID;

-- Which clients used a repository, with any token: a page reads these, however many tokens there are.
CREATE TABLE repository_clients (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL, -- empty where the client sent none
    day INTEGER NOT NULL, -- days since 1970-01-01
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (repository_id, address, user_agent, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX repository_clients_by_day ON repository_clients (day, repository_id);

CREATE TABLE repository_other_clients (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    first_used_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (repository_id, day)
) STRICT, WITHOUT ROWID;

-- Uses of a repository on each day: its chart reads 30 rows, however many clients there are.
CREATE TABLE daily_usage (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (repository_id, day)
) STRICT, WITHOUT ROWID;

-- Uses of each secret of an API token, from its first use on.
CREATE TABLE token_usage (
    api_token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    secret_number INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    last_used_address TEXT, -- NULL where the client was not kept
    reads INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (api_token_id, secret_number)
) STRICT, WITHOUT ROWID;

-- The last part of its usage counts that each process wrote, so that a part that is written again counts once.
CREATE TABLE usage_flushes (
    process_id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL -- the latest use in that part
) STRICT, WITHOUT ROWID;

-- The audit log: rows are only ever added.
CREATE TABLE events (
    id INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id INTEGER,
    actor_name TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL, -- an id in decimal, or what the kind of subject has in its place
    subject_name TEXT NOT NULL,
    detail TEXT NOT NULL,
    actor_token INTEGER -- the API token or repository token that acted, where one did
) STRICT;
-- Each filter of the audit log has an index that ends with the id, so that a page costs the same in a long log.
-- SQLite ends every index with the row id, which is the id.
CREATE INDEX events_by_subject ON events (subject_kind, subject_id);
CREATE INDEX events_by_subject_name ON events (subject_kind, subject_name);
CREATE INDEX events_by_action ON events (action);
CREATE INDEX events_by_actor ON events (actor_id);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

-- Policies: a name and a value in JSON. A policy without a row has its default.
CREATE TABLE policies (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows that are updated to lock what has no row of its own.
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO locks (name, revision) VALUES ('policies', 0);

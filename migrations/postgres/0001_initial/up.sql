-- Ids are 63-bit numbers in the order of time, made by the application: see src/domain/id.rs. Times are seconds since
-- 1970-01-01 in UTC. A `key_id` names the key that sealed the value beside it.

-- Roles give privileges to users. The built-in ones are never changed.
CREATE TABLE roles (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    privileges TEXT NOT NULL, -- names divided by spaces
    built_in BOOLEAN NOT NULL
);
INSERT INTO roles (id, name, title, privileges, built_in) VALUES
    (1, 'administrator', 'Administrator',
     'api_access view_repositories repository_management user_management system_management view_audit_log', TRUE),
    (2, 'repository-manager', 'Repository Manager',
     'api_access view_repositories repository_management', TRUE),
    (3, 'developer', 'Developer', 'api_access view_repositories', TRUE),
    (4, 'viewer', 'Viewer', 'view_repositories', TRUE);

-- People who sign in and own API tokens.
CREATE TABLE users (
    id BIGINT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE, -- lower case
    display_name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT, -- argon2id in PHC form; NULL until the user has set a password
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL, -- counted up to lock the row
    search_key TEXT NOT NULL -- username, display name and email in lower case and NFC
);
-- Each order of the list has an index.
CREATE INDEX users_by_display_name ON users (display_name, username);
CREATE INDEX users_by_email ON users (email, username);
CREATE INDEX users_by_creation ON users (created_at, username);

CREATE TABLE user_roles (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id BIGINT NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_by_role ON user_roles (role_id);

-- Sessions of signed-in users. A session ends when its row is deleted.
CREATE TABLE sessions (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key_digest BYTEA UNIQUE, -- SHA-256 of the session key in the cookie; NULL until the cookie is made
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL, -- last password entry
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);

-- Links with which a user sets a password: at most one for each user, valid as long as its maker may change the user.
CREATE TABLE password_links (
    user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    made_by BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest BYTEA NOT NULL UNIQUE, -- SHA-256 of the code in the address
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What tokens give access to.
CREATE TABLE repositories (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    search_key TEXT NOT NULL, -- name and description in lower case and NFC
    revision BIGINT NOT NULL DEFAULT 0, -- counted up to lock the row
    last_used_at BIGINT -- with any token
);
CREATE INDEX repositories_by_creation ON repositories (created_at, name);
CREATE INDEX repositories_by_last_use ON repositories (last_used_at NULLS FIRST, name); -- as SQLite orders them

-- A repository's own tokens: the current one, and replaced ones until they are pruned.
CREATE TABLE repository_tokens (
    id BIGINT NOT NULL PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL, -- 1 for the token that was made with the repository
    digest BYTEA NOT NULL UNIQUE, -- SHA-256
    hint TEXT NOT NULL,
    sealed BYTEA, -- nonce and XChaCha20-Poly1305 ciphertext; NULL where the token cannot be shown again
    key_id TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, -- username
    valid_until BIGINT, -- NULL for the current one
    last_used_at BIGINT,
    last_used_address TEXT,
    form_nonce BIGINT NOT NULL UNIQUE, -- 63 bits of the SHA-256 of the nonce of the form that made it
    first_use_pending BOOLEAN NOT NULL DEFAULT FALSE, -- whether the first use must remove a row of idempotency_keys
    UNIQUE (repository_id, generation)
);
CREATE UNIQUE INDEX repository_tokens_current ON repository_tokens (repository_id) WHERE valid_until IS NULL;
CREATE INDEX repository_tokens_by_key ON repository_tokens (key_id);

-- Which users may read or write a repository. A check finds the row by its key alone.
CREATE TABLE grants (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    permission TEXT NOT NULL, -- read or write
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, repository_id) INCLUDE (permission)
);
CREATE INDEX grants_by_repository ON grants (repository_id);

-- API tokens. Their secrets are in api_token_secrets.
CREATE TABLE api_tokens (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL, -- the name in lower case and NFC, without joiners
    note TEXT, -- what the owner wants to remember of it
    hint TEXT NOT NULL, -- prefix and first characters of the current secret
    secret_number BIGINT NOT NULL, -- of the current secret
    repositories_permission TEXT NOT NULL,
    account_permission TEXT NOT NULL,
    administration_permission TEXT NOT NULL,
    repository_selection TEXT NOT NULL, -- all or selected
    lifetime BIGINT, -- seconds; NULL for no expiry
    created_at BIGINT NOT NULL,
    rotated_at BIGINT, -- last rotation
    expires_at BIGINT,
    disabled_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (user_id, name_key) WHERE revoked_at IS NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (user_id, revoked_at) WHERE revoked_at IS NOT NULL;

-- The repositories of API tokens that are limited to some.
CREATE TABLE api_token_repositories (
    api_token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    PRIMARY KEY (api_token_id, repository_id)
);
CREATE INDEX api_token_repositories_by_repository ON api_token_repositories (repository_id);

-- Secrets of API tokens: the current one, and replaced ones until they are pruned. A check finds the row by its key.
CREATE TABLE api_token_secrets (
    digest BYTEA NOT NULL, -- SHA-256
    api_token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    number BIGINT NOT NULL, -- 1 for the secret that was made with the token
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    valid_until BIGINT, -- NULL for the current one
    form_nonce BIGINT NOT NULL UNIQUE, -- 63 bits of the SHA-256 of the nonce of the form that made it
    first_use_pending BOOLEAN NOT NULL DEFAULT FALSE, -- whether the first use must remove a row of idempotency_keys
    PRIMARY KEY (digest) INCLUDE (api_token_id, number, valid_until, first_use_pending),
    UNIQUE (api_token_id, number)
);
CREATE INDEX api_token_secrets_replaced ON api_token_secrets (valid_until) WHERE valid_until IS NOT NULL;

-- Responses to requests with an Idempotency-Key, so that a request that is repeated is not carried out twice.
CREATE TABLE idempotency_keys (
    credential BYTEA NOT NULL, -- SHA-256 of the secret that the request presented
    key TEXT NOT NULL, -- value of the header Idempotency-Key
    request BYTEA NOT NULL, -- SHA-256 of method, address and body
    status BIGINT NOT NULL, -- of the response
    sealed BYTEA NOT NULL, -- nonce and XChaCha20-Poly1305 ciphertext of the response
    key_id TEXT NOT NULL,
    secret_digest BYTEA, -- of the new secret, where the request replaced the one that it presented
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (credential, key)
);
CREATE INDEX idempotency_keys_by_secret ON idempotency_keys (secret_digest);

-- New secrets until they are shown, once, to the session that made them.
CREATE TABLE reveals (
    subject_id BIGINT NOT NULL, -- the API token, repository, service or user whose secret it is
    session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL, -- nonce and XChaCha20-Poly1305 ciphertext of the secret
    key_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (subject_id, session_id)
);
CREATE INDEX reveals_by_session ON reveals (session_id);

-- Programs that may introspect tokens. Each has one token.
CREATE TABLE services (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    digest BYTEA NOT NULL UNIQUE, -- SHA-256 of its token
    hint TEXT NOT NULL,
    generation BIGINT NOT NULL, -- 1 for the token that was made with the service
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, -- username
    token_created_at BIGINT NOT NULL,
    token_created_by TEXT NOT NULL, -- username; empty where the previous token was revoked by possession
    last_used_at BIGINT,
    last_used_address TEXT,
    form_nonce BIGINT NOT NULL UNIQUE, -- 63 bits of the SHA-256 of the nonce of the form that made its token
    search_key TEXT NOT NULL, -- name and description in lower case and NFC
    revision BIGINT NOT NULL -- counted up to lock the row
);
CREATE INDEX services_by_creation ON services (created_at, name);

-- Keys that sign registry tokens.
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY, -- fingerprint of the public key
    state TEXT NOT NULL, -- next, current or former
    public_key BYTEA NOT NULL,
    certificate TEXT NOT NULL, -- PEM
    sealed BYTEA, -- NULL for a former key, and once the key that sealed it was forgotten
    key_id TEXT,
    created_at BIGINT NOT NULL,
    bundled_at BIGINT, -- when a bundle for registries first contained it
    replaced_at BIGINT
);
CREATE UNIQUE INDEX signing_keys_state ON signing_keys (state) WHERE state <> 'former';

-- Which clients used a token on each of the last 30 days: an API token, a service, or, under the id of the repository, the
-- repository's own tokens. The key is in the order in which a page adds up the days of each client.
CREATE TABLE token_clients (
    token_id BIGINT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL, -- empty where the client sent none
    day BIGINT NOT NULL, -- days since 1970-01-01
    first_used_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    reads BIGINT NOT NULL,
    writes BIGINT NOT NULL,
    PRIMARY KEY (token_id, address, user_agent, day)
);
CREATE INDEX token_clients_by_day ON token_clients (day, token_id);

-- The same of all clients of a day beyond those that have a row.
CREATE TABLE token_other_clients (
    token_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    first_used_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    reads BIGINT NOT NULL,
    writes BIGINT NOT NULL,
    PRIMARY KEY (token_id, day)
);

-- Which clients used a repository, with any token: a page reads these, however many tokens there are.
CREATE TABLE repository_clients (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL, -- empty where the client sent none
    day BIGINT NOT NULL, -- days since 1970-01-01
    first_used_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    reads BIGINT NOT NULL,
    writes BIGINT NOT NULL,
    PRIMARY KEY (repository_id, address, user_agent, day)
);
CREATE INDEX repository_clients_by_day ON repository_clients (day, repository_id);

CREATE TABLE repository_other_clients (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    first_used_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    reads BIGINT NOT NULL,
    writes BIGINT NOT NULL,
    PRIMARY KEY (repository_id, day)
);

-- Uses of a repository on each day: its chart reads 30 rows, however many clients there are.
CREATE TABLE daily_usage (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    reads BIGINT NOT NULL,
    writes BIGINT NOT NULL,
    PRIMARY KEY (repository_id, day)
);

-- Uses of each secret of an API token, from its first use on.
CREATE TABLE token_usage (
    api_token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    secret_number BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    last_used_address TEXT, -- NULL where the client was not kept
    reads BIGINT NOT NULL,
    writes BIGINT NOT NULL,
    PRIMARY KEY (api_token_id, secret_number)
);

-- The last part of its usage counts that each process wrote, so that a part that is written again counts once.
CREATE TABLE usage_flushes (
    process_id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL -- the latest use in that part
);

-- The audit log: rows are only ever added.
CREATE TABLE events (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL, -- an id in decimal, or what the kind of subject has in its place
    subject_name TEXT NOT NULL,
    detail TEXT NOT NULL,
    actor_token BIGINT -- the API token or repository token that acted, where one did
);
-- Each filter of the audit log has an index that ends with the id, so that a page costs the same in a long log.
CREATE INDEX events_by_subject ON events (subject_kind, subject_id, id);
CREATE INDEX events_by_subject_name ON events (subject_kind, subject_name, id);
CREATE INDEX events_by_action ON events (action, id);
CREATE INDEX events_by_actor ON events (actor_id, id);
CREATE FUNCTION refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed or deleted';
END
$$;
CREATE TRIGGER events_are_not_changed BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_events();

-- Policies: a name and a value in JSON. A policy without a row has its default.
CREATE TABLE policies (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Rows that are updated to lock what has no row of its own.
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);
INSERT INTO locks (name, revision) VALUES ('policies', 0);

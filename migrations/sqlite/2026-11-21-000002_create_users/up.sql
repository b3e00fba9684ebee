CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE, -- lower case
    display_name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT, -- argon2id in PHC form; none until the user has set a password
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL -- counted up to lock the row
) STRICT;
CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
) STRICT;

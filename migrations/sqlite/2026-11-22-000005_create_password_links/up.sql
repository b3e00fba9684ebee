ALTER TABLE users ADD COLUMN search_key TEXT NOT NULL DEFAULT ''; -- username, display name and email in lower case
UPDATE users SET search_key = lower(username || ' ' || display_name || ' ' || email);
CREATE TABLE password_links (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    made_by TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- works as long as they may touch the user
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the code in the address
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX users_by_display_name ON users (display_name, username);

CREATE TABLE policies (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), -- one row; updated to lock what has no row of its own
    max_lifetime_days INTEGER,
    no_expiry_allowed INTEGER NOT NULL,
    max_api_tokens INTEGER,
    graces TEXT NOT NULL, -- names divided by spaces
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO policies (id, max_lifetime_days, no_expiry_allowed, max_api_tokens, graces, revision)
    VALUES (1, NULL, TRUE, NULL, 'now 1h 24h 7d', 0);

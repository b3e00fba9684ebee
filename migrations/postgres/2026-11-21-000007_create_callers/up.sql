CREATE TABLE callers (
    api_token_id TEXT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    day BIGINT NOT NULL, -- days since 1970-01-01
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    first_used_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    PRIMARY KEY (api_token_id, day, address, user_agent)
);
CREATE INDEX callers_by_day ON callers (day);

-- How far the usage counts of each process are written, so that a part that is written again counts once.
CREATE TABLE usage_flushes (
    process_id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL, -- of its last part
    last_used_at BIGINT NOT NULL -- the latest use in that part
);

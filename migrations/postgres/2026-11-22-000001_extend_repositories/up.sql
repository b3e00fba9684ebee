ALTER TABLE repositories ADD COLUMN search_key TEXT NOT NULL DEFAULT ''; -- name and description in lower case
ALTER TABLE repositories ADD COLUMN revision BIGINT NOT NULL DEFAULT 0; -- counted up to lock the row
ALTER TABLE repositories ADD COLUMN last_used_at BIGINT; -- with any token
UPDATE repositories SET search_key = lower(name || ' ' || description);

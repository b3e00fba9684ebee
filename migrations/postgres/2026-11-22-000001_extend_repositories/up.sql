ALTER TABLE repositories ADD COLUMN search_key TEXT NOT NULL DEFAULT ''; -- name and description in lower case
ALTER TABLE repositories ADD COLUMN revision BIGINT NOT NULL DEFAULT 0; -- counted up to lock the row
ALTER TABLE repositories ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0; -- with any token; 0 for never
UPDATE repositories SET search_key = lower(name || ' ' || description);
CREATE INDEX repositories_by_creation ON repositories (created_at, name);
CREATE INDEX repositories_by_last_use ON repositories (last_used_at, name);

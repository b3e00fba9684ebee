-- Which letters and digits the search key holds: most rows are passed over without a look at the key. Until a row is written
-- again it claims to hold all, and is looked at.
ALTER TABLE repositories ADD COLUMN letters INTEGER NOT NULL DEFAULT -1;
DROP INDEX repositories_by_search;
CREATE INDEX repositories_by_search ON repositories (name, letters, search_key, id);

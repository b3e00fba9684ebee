DROP INDEX repositories_by_last_use;
DROP INDEX repositories_by_creation;
ALTER TABLE repositories DROP COLUMN last_used_at;
ALTER TABLE repositories DROP COLUMN revision;
ALTER TABLE repositories DROP COLUMN search_key;

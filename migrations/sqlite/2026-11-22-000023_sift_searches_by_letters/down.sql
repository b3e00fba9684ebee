DROP INDEX repositories_by_search;
ALTER TABLE repositories DROP COLUMN letters;
CREATE INDEX repositories_by_search ON repositories (name, search_key, id);

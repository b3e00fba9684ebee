DROP INDEX repositories_by_search;
CREATE INDEX repositories_by_search ON repositories (name, letters, search_key, id);

CREATE INDEX repositories_by_search ON repositories (name, letters, search_key, id);

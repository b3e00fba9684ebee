-- A search, and a later page, pass over repositories in the order of their names: at what that needs, and nothing else.
CREATE INDEX repositories_by_search ON repositories (name, search_key, id);

-- Read in the order of names, with a look at the table for what is shown alone: an index needs no more than what decides that.
DROP INDEX repositories_by_search;
CREATE INDEX repositories_by_search ON repositories (name, letters, search_key);

DROP INDEX repositories_by_search;

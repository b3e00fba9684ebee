-- PostgreSQL looks into the table for each row of an index that a search passes over: reading the table is quicker.
DROP INDEX repositories_by_search;

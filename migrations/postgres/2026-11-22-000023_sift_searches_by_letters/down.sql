DROP TRIGGER repositories_forget_letters ON repositories;
DROP FUNCTION forget_letters;
DROP INDEX repositories_by_search;
ALTER TABLE repositories DROP COLUMN letters;
CREATE INDEX repositories_by_search ON repositories (name, search_key, id);

-- Which letters and digits the search key holds: most rows are passed over without a look at the key. Until a row is written
-- again it claims to hold all, and is looked at.
ALTER TABLE repositories ADD COLUMN letters BIGINT NOT NULL DEFAULT -1;
DROP INDEX repositories_by_search;
CREATE INDEX repositories_by_search ON repositories (name, letters, search_key, id);
-- For nodes of the release before, as long as they run beside newer ones: they change the key and know nothing of its letters.
CREATE FUNCTION forget_letters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.letters := -1;
    RETURN NEW;
END
$$;
CREATE TRIGGER repositories_forget_letters BEFORE UPDATE ON repositories
    FOR EACH ROW WHEN (NEW.search_key <> OLD.search_key AND NEW.letters = OLD.letters) EXECUTE FUNCTION forget_letters();

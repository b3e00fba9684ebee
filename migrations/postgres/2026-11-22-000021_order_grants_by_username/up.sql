-- A page of a repository reads its grants in the order in which it shows them. A username never changes.
DROP INDEX grants_by_repository;
ALTER TABLE grants ADD COLUMN username TEXT NOT NULL DEFAULT '';
UPDATE grants SET username = users.username FROM users WHERE users.id = grants.user_id;
ALTER TABLE grants ALTER COLUMN username DROP DEFAULT;
CREATE INDEX grants_by_repository ON grants (repository_id, username, user_id, permission, created_at);
-- For nodes of the release before, as long as they run beside newer ones: they know nothing of the column.
CREATE FUNCTION name_user_of_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.username := (SELECT username FROM users WHERE id = NEW.user_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER grants_name_their_user BEFORE INSERT ON grants
    FOR EACH ROW WHEN (NEW.username IS NULL) EXECUTE FUNCTION name_user_of_grant();

DROP TRIGGER grants_name_their_user ON grants;
DROP FUNCTION name_user_of_grant;
DROP INDEX grants_by_repository;
ALTER TABLE grants DROP COLUMN username;
CREATE INDEX grants_by_repository ON grants (repository_id, user_id, permission, created_at);

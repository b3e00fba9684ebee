DROP INDEX grants_by_repository;
ALTER TABLE grants DROP COLUMN username;
CREATE INDEX grants_by_repository ON grants (repository_id, user_id, permission, created_at);

-- A page of a repository reads its grants in the order in which it shows them. A username never changes.
DROP INDEX grants_by_repository;
ALTER TABLE grants ADD COLUMN username TEXT NOT NULL DEFAULT '';
UPDATE grants SET username = users.username FROM users WHERE users.id = grants.user_id;
ALTER TABLE grants ALTER COLUMN username DROP DEFAULT;
CREATE INDEX grants_by_repository ON grants (repository_id, username, permission, created_at);

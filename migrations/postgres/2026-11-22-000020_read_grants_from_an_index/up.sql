-- The tab Access sorts all of a repository's grants: it finds in the index what it shows of them.
DROP INDEX grants_by_repository;
CREATE INDEX grants_by_repository ON grants (repository_id, user_id, permission, created_at);

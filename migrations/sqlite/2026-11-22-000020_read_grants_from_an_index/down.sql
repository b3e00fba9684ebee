DROP INDEX grants_by_repository;
CREATE INDEX grants_by_repository ON grants (repository_id);

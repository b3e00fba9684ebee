DROP TABLE grants;
DROP TABLE repositories;

DROP TABLE password_links;
ALTER TABLE users DROP COLUMN search_key;

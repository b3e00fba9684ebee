DROP INDEX users_by_display_name;
DROP TABLE password_links;
ALTER TABLE users DROP COLUMN search_key;

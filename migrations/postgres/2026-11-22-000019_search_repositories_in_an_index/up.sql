-- PostgreSQL reads the rows themselves, which lie together.
SELECT 1;

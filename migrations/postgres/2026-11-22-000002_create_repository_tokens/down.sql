DROP TABLE repository_tokens;

ALTER TABLE policies DROP COLUMN repository_tokens_shown_once;

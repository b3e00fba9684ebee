ALTER TABLE policies ADD COLUMN repository_tokens_shown_once BOOLEAN NOT NULL DEFAULT FALSE; -- not again on demand

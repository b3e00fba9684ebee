ALTER TABLE repository_tokens DROP COLUMN first_use_pending;
ALTER TABLE api_token_secrets DROP COLUMN first_use_pending;
DROP TABLE idempotency_keys;

DROP TABLE api_token_secrets;
DROP TABLE api_token_repositories;
DROP TABLE api_tokens;

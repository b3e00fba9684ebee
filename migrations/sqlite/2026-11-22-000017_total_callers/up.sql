-- Of each repository the callers with whatever token, under the empty token: a page reads these, however many tokens there are.
INSERT INTO callers (token_id, repository_id, day, address, user_agent, first_used_at, last_used_at, uses)
    SELECT '', repository_id, day, address, user_agent, min(first_used_at), max(last_used_at), sum(uses)
    FROM callers WHERE repository_id <> '' GROUP BY repository_id, day, address, user_agent;

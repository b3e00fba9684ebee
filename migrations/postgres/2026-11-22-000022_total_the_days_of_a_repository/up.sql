-- Of each repository the days, whoever called with whatever token: its chart reads 30 rows, however many callers there are.
INSERT INTO callers (token_id, repository_id, day, address, user_agent, first_used_at, last_used_at, uses)
    SELECT 'days', repository_id, day, '', '', min(first_used_at), max(last_used_at), sum(uses)
    FROM callers WHERE token_id = '' GROUP BY repository_id, day;

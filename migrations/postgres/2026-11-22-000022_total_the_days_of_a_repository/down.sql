DELETE FROM callers WHERE token_id = 'days';

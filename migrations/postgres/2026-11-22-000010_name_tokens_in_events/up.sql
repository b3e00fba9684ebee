-- The API token or repository token that acted, where one did.
ALTER TABLE events ADD COLUMN actor_token TEXT;

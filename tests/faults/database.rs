//! The SQLite file, looked at by somebody who may only read: whatever happened, nothing in it is half made.

use std::path::Path;

use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};

/// What there must be none of: each finds the ids of what breaks a rule.
const HALF_MADE: [(&str, &str); 13] = [
    (
        "a repository has exactly one current token",
        "SELECT id FROM repositories r WHERE
             (SELECT count(*) FROM repository_tokens t WHERE t.repository_id = r.id AND t.valid_until IS NULL) <> 1",
    ),
    (
        "a repository was created once and has an event for each token after the first",
        "SELECT id FROM repositories r WHERE
             (SELECT count(*) FROM events e WHERE e.subject_id = r.id AND e.action = 'repository.created') <> 1
             OR (SELECT count(*) FROM events e WHERE e.subject_id = r.id AND e.action = 'repository_token.rotated') + 1
                <> (SELECT count(*) FROM repository_tokens t WHERE t.repository_id = r.id)
             OR (SELECT max(generation) FROM repository_tokens t WHERE t.repository_id = r.id)
                <> (SELECT count(*) FROM repository_tokens t WHERE t.repository_id = r.id)",
    ),
    (
        "the current token lies sealed, and no other",
        "SELECT id FROM repository_tokens WHERE (valid_until IS NULL) <> (sealed IS NOT NULL) OR (sealed IS NULL) <> (key_id IS NULL)",
    ),
    (
        "a token that is not revoked has exactly one current secret, the one it names",
        "SELECT id FROM api_tokens t WHERE revoked_at IS NULL AND (
             (SELECT count(*) FROM api_token_secrets s WHERE s.api_token_id = t.id AND s.valid_until IS NULL) <> 1
             OR (SELECT count(*) FROM api_token_secrets s WHERE s.number = t.secret_number AND s.api_token_id = t.id AND s.valid_until IS NULL) <> 1)",
    ),
    (
        "a revoked token has no current secret and none that waits to be shown",
        "SELECT id FROM api_tokens t WHERE revoked_at IS NOT NULL AND (
             EXISTS (SELECT 1 FROM api_token_secrets s WHERE s.api_token_id = t.id AND s.valid_until IS NULL)
             OR EXISTS (SELECT 1 FROM reveals r WHERE r.subject_id = t.id))",
    ),
    (
        "the hint of a token is that of its current secret",
        "SELECT t.id FROM api_tokens t JOIN api_token_secrets s ON s.api_token_id = t.id AND s.number = t.secret_number WHERE s.hint <> t.hint",
    ),
    (
        "a token was created once",
        "SELECT id FROM api_tokens t WHERE
             (SELECT count(*) FROM events e WHERE e.subject_id = t.id AND e.action = 'api_token.created') <> 1",
    ),
    (
        "a token has an event for each secret after the first",
        "SELECT id FROM api_tokens t WHERE
             (SELECT count(*) FROM events e WHERE e.subject_id = t.id AND e.action = 'api_token.rotated') + 1
             <> (SELECT count(*) FROM api_token_secrets s WHERE s.api_token_id = t.id)",
    ),
    (
        "a token was revoked once if it is revoked, and else never",
        "SELECT id FROM api_tokens t WHERE
             (SELECT count(*) FROM events e WHERE e.subject_id = t.id AND e.action = 'api_token.revoked') <> (revoked_at IS NOT NULL)",
    ),
    (
        "no secret was shown twice",
        "SELECT id FROM api_tokens t WHERE
             (SELECT count(*) FROM events e WHERE e.subject_id = t.id AND e.action = 'api_token.revealed')
             + (SELECT count(*) FROM reveals r WHERE r.subject_id = t.id)
             > (SELECT count(*) FROM api_token_secrets s WHERE s.api_token_id = t.id)",
    ),
    (
        "an event about a token is about one that is there",
        "SELECT id FROM events e WHERE subject_kind = 'api_token' AND NOT EXISTS (SELECT 1 FROM api_tokens t WHERE t.id = e.subject_id)",
    ),
    (
        "a stored answer to a rotation has a new secret whose first use removes it",
        "SELECT key AS id FROM idempotency_keys WHERE secret_digest IS NOT NULL AND secret_digest NOT IN (
             SELECT digest FROM api_token_secrets WHERE first_use_pending UNION ALL
             SELECT digest FROM repository_tokens WHERE first_use_pending)",
    ),
    (
        "nobody has more than five tokens",
        "SELECT user_id AS id FROM api_tokens WHERE revoked_at IS NULL GROUP BY user_id HAVING count(*) > 5",
    ),
];

pub struct Database(SqliteConnection);

impl Database {
    pub fn open(data: &Path) -> Self {
        let url = format!("file:{}/tokenhouse.db?mode=ro", data.display());
        Self(SqliteConnection::establish(&url).expect("the database opens for reading"))
    }

    /// Fails if anything is damaged or half made.
    #[track_caller]
    pub fn assert_whole(&mut self) {
        assert_eq!(self.text("SELECT group_concat(integrity_check) AS words FROM pragma_integrity_check"), "ok");
        assert_eq!(self.number("SELECT count(*) AS number FROM pragma_foreign_key_check"), 0);
        for (rule, broken) in HALF_MADE {
            let ids = self.text(&format!("SELECT coalesce(group_concat(id), '') AS words FROM ({broken})"));
            assert_eq!(ids, "", "{rule}");
        }
    }

    #[track_caller]
    pub fn number(&mut self, sql: &str) -> i64 {
        diesel::sql_query(sql).get_result::<Number>(&mut self.0).expect(sql).number
    }

    #[track_caller]
    fn text(&mut self, sql: &str) -> String {
        diesel::sql_query(sql).get_result::<Words>(&mut self.0).expect(sql).words
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    words: String,
}

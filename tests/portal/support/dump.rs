//! All that the database holds, as text.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use tokenhouse::storage::connection::Target;

use super::portal::Portal;

/// The rows of each table, without the counters that only lock rows.
pub type Dump = BTreeMap<String, Vec<String>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    line: String,
}

/// A connection of the test's own, and the statement that asks for everything.
pub struct Reader {
    connection: Own,
    everything: String,
    tables: Vec<String>,
}

enum Own {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Reader {
    fn open(target: &Target) -> Self {
        let mut connection = match target {
            Target::Sqlite(path) => {
                Own::Sqlite(SqliteConnection::establish(path.to_str().expect("a readable path")).expect("it opens"))
            }
            Target::Postgres(url) => Own::Postgres(PgConnection::establish(url).expect("it answers")),
        };
        let columns = connection.lines(match connection {
            Own::Sqlite(_) => {
                "SELECT m.name AS table_name, c.name AS line FROM sqlite_master m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.name <> 'revision' ORDER BY m.name, c.cid"
            }
            Own::Postgres(_) => {
                "SELECT table_name::text AS table_name, column_name::text AS line FROM information_schema.columns
                 WHERE table_schema = current_schema() AND column_name <> 'revision' ORDER BY table_name, ordinal_position"
            }
        });
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for column in columns {
            let quoted = match connection {
                Own::Sqlite(_) => format!("quote({})", column.line),
                Own::Postgres(_) => format!("coalesce({}::text, 'NULL')", column.line),
            };
            tables.entry(column.table_name).or_default().push(quoted);
        }
        let select = |(table, columns): (&String, &Vec<String>)| {
            format!("SELECT '{table}' AS table_name, {} AS line FROM {table}", columns.join(" || ', ' || "))
        };
        let everything = tables.iter().map(select).collect::<Vec<_>>().join(" UNION ALL ") + " ORDER BY 1, 2";
        Self { connection, everything, tables: tables.into_keys().collect() }
    }

    fn dump(&mut self) -> Dump {
        let mut dump: Dump = self.tables.iter().map(|table| (table.clone(), Vec::new())).collect();
        for line in self.connection.lines(&self.everything) {
            dump.entry(line.table_name).or_default().push(line.line);
        }
        dump
    }
}

impl Own {
    fn lines(&mut self, query: &str) -> Vec<Line> {
        match self {
            Self::Sqlite(connection) => diesel::sql_query(query).load(connection),
            Self::Postgres(connection) => diesel::sql_query(query).load(connection),
        }
        .expect(query)
    }
}

impl Portal {
    /// Every row of every table.
    pub fn dump(&self) -> Dump {
        let mut reader = self.reader.lock().expect("no holder panics");
        reader.get_or_insert_with(|| Reader::open(&self.database.target())).dump()
    }

    /// Runs `work` and panics if any row came, went or changed.
    #[track_caller]
    pub fn unchanged<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let before = self.dump();
        let result = work();
        assert_same(what, &before, &self.dump());
        result
    }

    pub fn count(&self, table: &str) -> usize {
        self.dump()[table].len()
    }

    /// The names of all events but those of the first start, oldest first; those of the same second by name.
    pub fn actions(&self) -> Vec<String> {
        use tokenhouse::storage::schema::events;
        self.read(|connection| {
            let since = events::table.filter(events::action.ne("signing_key.created"));
            Ok(since.order((events::at.asc(), events::action.asc())).select(events::action).load(connection)?)
        })
    }
}

#[track_caller]
pub fn assert_same(what: &str, before: &Dump, after: &Dump) {
    for (table, rows) in before {
        let now = after.get(table).expect("the table stays");
        let gone: Vec<_> = rows.iter().filter(|row| !now.contains(row)).collect();
        let new: Vec<_> = now.iter().filter(|row| !rows.contains(row)).collect();
        assert!(gone.is_empty() && new.is_empty(), "{what} changed {table}: {gone:#?} became {new:#?}");
    }
}

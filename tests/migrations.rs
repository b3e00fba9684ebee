//! The migrations of both databases: they lead up and down again, and to the tables in `src/storage/schema.rs`.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{Bool, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use diesel_migrations::MigrationHarness;
use support::database::Database;
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::migrations::{POSTGRES, SQLITE, newest};
use tokenhouse::storage::{Db, Result, opening, policies, roles};

const SCHEMA: &str = include_str!("../src/storage/schema.rs");

/// Columns of each table in their order, as `id BigInt`, `ends_at BigInt?`, `name Text key`.
type Tables = BTreeMap<String, Vec<String>>;

#[test]
fn both_databases_have_the_tables_that_the_schema_tells_of() {
    let schema = tables_of_the_schema();
    assert!(schema.len() >= 13, "{schema:#?}");
    assert_eq!(schema["grants"][0], "user_id BigInt key");
    for database in Database::both() {
        let mut found = Any::migrated(&database).tables();
        if database.is_sqlite() {
            // SQLite has no booleans: numbers stand for them, and only the schema knows which.
            for (table, columns) in &mut found {
                for (column, told) in columns.iter_mut().zip(schema.get(table).into_iter().flatten()) {
                    if told.contains(" Bool") {
                        *column = column.replace(" BigInt", " Bool");
                    }
                }
            }
        }
        assert_eq!(found, schema);
    }
}

#[test]
fn up_down_and_up_again_ends_where_it_began() {
    for database in Database::both() {
        let mut any = Any::migrated(&database);
        let (tables, things) = (any.tables(), any.things());
        any.revert_all();
        assert_eq!(any.things(), Vec::<String>::new(), "nothing stays behind");
        assert!(opening::migrate(&database.target()).unwrap() > 0);
        assert_eq!((any.tables(), any.things()), (tables, things));
    }
}

#[test]
fn the_migrations_have_the_same_names_in_both_databases() {
    let sqlite: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = SQLITE.migrations().unwrap();
    let postgres: Vec<Box<dyn Migration<diesel::pg::Pg>>> = POSTGRES.migrations().unwrap();
    let sqlite: Vec<String> = sqlite.iter().map(|migration| migration.name().to_string()).collect();
    let postgres: Vec<String> = postgres.iter().map(|migration| migration.name().to_string()).collect();
    assert_eq!(sqlite, postgres);
    assert_eq!(Some(newest()), sqlite.into_iter().max());
}

#[test]
fn a_second_run_has_nothing_to_do() {
    for database in Database::both() {
        assert!(opening::migrate(&database.target()).unwrap() > 0);
        assert_eq!(opening::migrate(&database.target()).unwrap(), 0);
    }
}

#[test]
fn what_migrations_write_into_the_tables_is_the_same_in_both_databases() {
    let [sqlite, postgres] = Database::both().map(|database| {
        let db = Db::open(&database.target(), 1).unwrap();
        let read = db.read(|connection| -> Result<String> {
            let mut text = format!("{:?}\n", policies::current(connection)?);
            for name in roles::names(connection)? {
                text += &format!("{:?}\n", roles::find_by_name(connection, &name)?);
            }
            Ok(text)
        });
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(read).unwrap()
    });
    assert!(sqlite.contains("administrator") && sqlite.contains("viewer"));
    assert_eq!(sqlite, postgres);
}

#[test]
fn database_newer_than_the_program_is_refused_and_unchanged() {
    for database in Database::both() {
        let mut any = Any::migrated(&database);
        any.batch("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231235959'); DROP TABLE policies");
        let things = any.things();
        let error = Db::open(&database.target(), 1).err().expect("it is refused").to_string();
        assert!(error.contains("newer than this program") && error.contains("29991231235959"), "{error}");
        assert_eq!(any.things(), things, "no table was made");
    }
}

#[test]
fn database_from_before_the_first_release_is_refused_and_unchanged() {
    for database in Database::both() {
        let mut any = Any::migrated(&database);
        any.revert_all();
        any.batch("INSERT INTO __diesel_schema_migrations (version) VALUES ('20261121000001'), ('20261121000002')");
        let opened = Db::open(&database.target(), 1).err().expect("it is refused").to_string();
        let migrated = opening::migrate(&database.target()).expect_err("it is refused").to_string();
        for error in [opened, migrated] {
            assert!(error.contains("before the first release, with the migration 20261121000001"), "{error}");
            assert!(error.contains("Create a new database"), "{error}");
        }
        assert_eq!(any.things(), Vec::<String>::new(), "no table was made");
    }
}

#[test]
fn nodes_that_migrate_a_fresh_postgresql_at_once_do_it_once() {
    let database = Database::postgres();
    let target = database.target();
    let run: Vec<usize> = thread::scope(|scope| {
        let nodes: Vec<_> = (0..4).map(|_| scope.spawn(|| opening::migrate(&target).unwrap())).collect();
        nodes.into_iter().map(|node| node.join().unwrap()).collect()
    });
    let all = MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES).unwrap().len();
    assert_eq!(run.iter().sum::<usize>(), all, "{run:?}");
    assert_eq!(run.iter().filter(|&&count| count > 0).count(), 1, "{run:?}");
}

/// From `diesel::table! { name (key, …) { column -> Type, … } }`.
fn tables_of_the_schema() -> Tables {
    let mut tables = Tables::new();
    for text in SCHEMA.split("diesel::table! {").skip(1) {
        let (head, rest) = text.split_once('{').unwrap();
        let (name, key) = head.trim().trim_end_matches(')').split_once(" (").unwrap();
        let key: Vec<&str> = key.split(", ").collect();
        let columns = rest.split_once('}').unwrap().0.split(',').filter_map(|column| {
            let (name, kind) = column.trim().split_once(" -> ")?;
            let (kind, mark) = match kind.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), "?"),
                None => (kind, ""),
            };
            Some(format!("{name} {kind}{mark}{}", if key.contains(&name) { " key" } else { "" }))
        });
        tables.insert(name.to_owned(), columns.collect());
    }
    tables
}

/// A connection of the test's own.
enum Any {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    #[diesel(sql_type = Bool)]
    key: bool,
}

#[derive(QueryableByName)]
struct Thing {
    #[diesel(sql_type = Text)]
    name: String,
}

const SQLITE_COLUMNS: &str = "SELECT tables.name AS of_table, columns.name AS name, columns.type AS kind,
        NOT columns.\"notnull\" AS nullable, columns.pk > 0 AS key
    FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name <> '__diesel_schema_migrations' ORDER BY tables.name, columns.cid";
const POSTGRES_COLUMNS: &str = "SELECT relname::text AS of_table, attname::text AS name,
        format_type(atttypid, atttypmod) AS kind, NOT attnotnull AS nullable,
        EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary
            AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1])) AS key
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
        AND relname <> '__diesel_schema_migrations' ORDER BY relname, attnum";
const SQLITE_THINGS: &str = "SELECT type || ' ' || name AS name FROM sqlite_master
    WHERE tbl_name <> '__diesel_schema_migrations' AND name NOT LIKE 'sqlite_stat%' ORDER BY 1";
const POSTGRES_THINGS: &str = "SELECT relkind::text || ' ' || relname AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relname NOT LIKE '\\_\\_diesel%'
    UNION SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    UNION SELECT 'trigger ' || tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal ORDER BY 1";

impl Any {
    fn migrated(database: &Database) -> Self {
        opening::migrate(&database.target()).expect("the migrations run");
        match database.target() {
            Target::Sqlite(path) => Self::Sqlite(SqliteConnection::establish(path.to_str().unwrap()).unwrap()),
            Target::Postgres(url) => Self::Postgres(PgConnection::establish(&url).unwrap()),
        }
    }

    fn tables(&mut self) -> Tables {
        let columns: Vec<Column> = match self {
            Self::Sqlite(c) => diesel::sql_query(SQLITE_COLUMNS).load(c).unwrap(),
            Self::Postgres(c) => diesel::sql_query(POSTGRES_COLUMNS).load(c).unwrap(),
        };
        let mut tables = Tables::new();
        for column in columns {
            let kind = match column.kind.as_str() {
                "TEXT" | "text" => "Text",
                "INTEGER" | "bigint" => "BigInt",
                "boolean" => "Bool",
                "BLOB" | "bytea" => "Binary",
                other => other,
            };
            let (mark, key) = (if column.nullable { "?" } else { "" }, if column.key { " key" } else { "" });
            tables.entry(column.of_table).or_default().push(format!("{} {kind}{mark}{key}", column.name));
        }
        tables
    }

    /// Tables, indexes, triggers and functions by name, but for diesel's own table.
    fn things(&mut self) -> Vec<String> {
        self.names(SQLITE_THINGS, POSTGRES_THINGS)
    }

    /// The one column of a query, in the words of each database.
    fn names(&mut self, sqlite: &str, postgres: &str) -> Vec<String> {
        let things: Vec<Thing> = match self {
            Self::Sqlite(c) => diesel::sql_query(sqlite).load(c).unwrap(),
            Self::Postgres(c) => diesel::sql_query(postgres).load(c).unwrap(),
        };
        things.into_iter().map(|thing| thing.name).collect()
    }

    fn revert_all(&mut self) {
        match self {
            Self::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|run| run.len()).unwrap(),
            Self::Postgres(c) => c.revert_all_migrations(POSTGRES).map(|run| run.len()).unwrap(),
        };
    }

    fn batch(&mut self, sql: &str) {
        match self {
            Self::Sqlite(c) => c.batch_execute(sql).unwrap(),
            Self::Postgres(c) => c.batch_execute(sql).unwrap(),
        }
    }
}

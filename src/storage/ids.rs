//! Ids are columns of type `BigInt`.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::sql_types::{BigInt, Nullable};

use super::error::{Result, StorageError};
use crate::domain::id::{ApiTokenId, EventId, RepositoryId, RepositoryTokenId, RoleId, ServiceId, SessionId, UserId};

/// How many ids are tried for one row.
const MAX_ATTEMPTS: usize = 8;

macro_rules! as_bigint {
    ($($id:ident)*) => {$(
        impl AsExpression<BigInt> for $id {
            type Expression = <i64 as AsExpression<BigInt>>::Expression;

            fn as_expression(self) -> Self::Expression {
                AsExpression::<BigInt>::as_expression(self.number())
            }
        }

        impl AsExpression<Nullable<BigInt>> for $id {
            type Expression = <i64 as AsExpression<Nullable<BigInt>>>::Expression;

            fn as_expression(self) -> Self::Expression {
                AsExpression::<Nullable<BigInt>>::as_expression(self.number())
            }
        }

        impl<DB: Backend> FromSql<BigInt, DB> for $id
        where
            i64: FromSql<BigInt, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(i64::from_sql(bytes)?.try_into()?)
            }
        }

        impl<DB: Backend> Queryable<BigInt, DB> for $id
        where
            Self: FromSql<BigInt, DB>,
        {
            type Row = Self;

            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    )*};
}

as_bigint! { ApiTokenId EventId RepositoryId RepositoryTokenId RoleId ServiceId SessionId UserId }

/// The numbers of ids, for `eq_any`.
pub(super) fn numbers<I: Copy + Into<i64>>(ids: &[I]) -> Vec<i64> {
    ids.iter().map(|&id| id.into()).collect()
}

/// Inserts a row under an id that `make` returns. `insert` returns how many rows it inserted; where it is none, because
/// the id is taken, it is called again with the next id.
pub(super) fn insert_with_new_id<I: Copy, E: From<StorageError>>(
    mut make: impl FnMut() -> I,
    mut insert: impl FnMut(I) -> Result<usize, E>,
) -> Result<I, E> {
    for _ in 0..MAX_ATTEMPTS {
        let id = make();
        if insert(id)? > 0 {
            return Ok(id);
        }
    }
    Err(StorageError::Unavailable("every new id is taken".into()).into())
}

#[cfg(test)]
mod tests {
    use diesel::Connection as _;
    use diesel::prelude::*;

    use super::*;
    use crate::storage::connection::on_each;
    use crate::storage::schema::roles;
    use crate::storage::{Connection, migrations};

    fn insert_role(connection: &mut Connection, id: i64, name: &str) -> Result<usize> {
        let row = (
            roles::id.eq(id),
            roles::name.eq(name),
            roles::title.eq(name),
            roles::privileges.eq(""),
            roles::built_in.eq(false),
        );
        Ok(on_each!(connection, |c| diesel::insert_into(roles::table)
            .values(row)
            .on_conflict(roles::id)
            .do_nothing()
            .execute(c))?)
    }

    #[test]
    fn insert_whose_id_is_taken_succeeds_with_the_next_one() {
        let sqlite = diesel::SqliteConnection::establish(":memory:").unwrap();
        let mut connection = Connection::Sqlite(sqlite);
        migrations::run(&mut connection).unwrap();
        // The built-in roles have the ids 1 to 4.
        let mut ids = [1, 4, 5].into_iter();
        let id = insert_with_new_id(|| ids.next().unwrap(), |id| insert_role(&mut connection, id, "auditor"));
        assert_eq!(id.unwrap(), 5);
        let taken_name = insert_with_new_id(|| 6, |id| insert_role(&mut connection, id, "viewer"));
        assert!(matches!(taken_name, Err(StorageError::Unexpected(_))), "no other constraint is passed over");
    }

    #[test]
    fn insert_with_new_id_tries_the_next_id_where_one_is_taken() {
        let mut next = 0;
        let mut make = || {
            next += 1;
            next
        };
        let free_from = |free: usize| move |id: usize| -> Result<usize> { Ok(usize::from(id >= free)) };
        assert_eq!(insert_with_new_id(&mut make, free_from(3)).unwrap(), 3);
        assert!(matches!(insert_with_new_id(&mut make, free_from(1_000)), Err(StorageError::Unavailable(_))));
    }
}

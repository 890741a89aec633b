//! Throwaway databases, migrated, one for each test.

use duwang::store::Store;
use tempfile::TempDir;

/// An SQLite file in a folder that goes away with it.
pub struct Sqlite {
    pub store: Store,
    _dir: TempDir,
}

pub async fn sqlite() -> Sqlite {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    store.migrate().await.unwrap();
    Sqlite { store, _dir: dir }
}

/// Writes each test once and runs it on both databases: `sqlite::name` and `postgres::name`.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let database = crate::support::database::sqlite().await;
                super::$name(database.store.clone()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                let Some(database) = crate::support::postgres::schema(test).await else { return };
                super::$name(database.store.clone()).await;
                database.drop_schema().await;
            })+
        }
    };
}
pub(crate) use on_both_databases;

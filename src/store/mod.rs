//! What is remembered: SQLite or PostgreSQL behind one enum, one SQL text for both.
//!
//! Every query is a method of [`Tx`], a unit of work: fetch over the network first, then one short write. `write` takes
//! SQLite's write lock at once (`BEGIN IMMEDIATE`), because a read transaction that later wants to write fails there
//! when somebody wrote in between. The rules for SQL that both databases take are in `migrations/README.md`.
//!
//! One file for each group of tables: [`registry`], [`crawls`], [`posts`], [`counts`], [`texts`], [`fill`], [`profiles`], [`links`],
//! [`recheck`], [`violations`], [`decisions`], [`reports`], [`closes`], [`watch`], [`outbox`], [`schedule`]; and for what
//! concerns them all: [`backup`], [`health`], [`retention`].
//!
//! Invariant: nothing outside this folder names sqlx, and nothing in it knows rules, sources or formats.

pub mod backup;
pub mod closes;
pub mod counts;
pub mod crawls;
pub mod decisions;
mod error;
pub mod fill;
mod future;
pub mod health;
pub mod links;
pub mod outbox;
pub mod posts;
pub mod profiles;
pub mod recheck;
pub mod registry;
pub mod reports;
pub mod retention;
pub mod schedule;
pub mod texts;
pub mod violations;
pub mod watch;

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Postgres, Sqlite, Transaction};

pub use error::StoreError;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Most values bound in one statement; SQLite takes 32,766.
const BINDS_MAX: usize = 32_000;
/// Connections to one PostgreSQL database.
const POSTGRES_CONNECTIONS_MAX: u32 = 8;
/// Connections to one SQLite file: one writes, the others read; each has a page cache of its own.
const SQLITE_CONNECTIONS_MAX: u32 = 4;
/// How long a writer waits for SQLite's write lock.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// An open database.
#[derive(Clone, Debug)]
pub enum Store {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A unit of work. Dropped without [`Tx::commit`], it rolls back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Evaluates `$body` with `$conn` bound to the connection of whichever database is open.
macro_rules! on_conn {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
use on_conn;

/// Runs one `INSERT … VALUES (…),(…) …` for each chunk of `$rows` that fits the bind limit; `$tail` is the conflict
/// clause. The row closure pushes exactly `$columns` binds.
///
/// Statements whose length depends on their rows are not kept prepared: each would be another one, of up to a megabyte.
macro_rules! insert_rows {
    ($tx:expr, $rows:expr, $n_columns:expr, $head:expr, |$b:ident, $row:ident| $push:block, $tail:expr) => {{
        for chunk in $rows.chunks(($crate::store::BINDS_MAX / $n_columns).max(1)) {
            $crate::store::on_conn!(&mut *$tx, conn => {
                let mut query = sqlx::QueryBuilder::new($head);
                query.push_values(chunk, |mut $b, $row| $push);
                query.push($tail);
                query.build().persistent(false).execute(conn).await?;
            });
        }
    }};
}
use insert_rows;

impl Store {
    /// Opens the database at `url`: `sqlite:PATH` (created if missing; relative paths start at `base_dir`) or
    /// `postgres://…`.
    pub async fn connect(url: &str, base_dir: &Path) -> Result<Self, StoreError> {
        if let Some(path) = Self::sqlite_file(url, base_dir) {
            return Self::connect_sqlite(&path).await;
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::Address { problem: "unknown scheme".to_owned() });
        }
        let options =
            PgConnectOptions::from_str(url).map_err(|error| StoreError::Address { problem: error.to_string() })?;
        Self::connect_postgres(options).await
    }

    /// Opens an SQLite file, creating it if it is missing.
    pub async fn connect_sqlite(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A committed post survives a power cut, not only a killed process.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(SQLITE_CONNECTIONS_MAX)
            // Where the disk was full, SQLite has rolled back by itself and the connection still counts a transaction.
            .before_acquire(|conn, _| Box::pin(std::future::ready(Ok(!conn.is_in_transaction()))))
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { place: path.display().to_string(), source })?;
        Ok(Self::Sqlite(pool))
    }

    /// Opens a PostgreSQL database.
    pub async fn connect_postgres(options: PgConnectOptions) -> Result<Self, StoreError> {
        let place = format!("{}:{}", options.get_host(), options.get_port());
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS_MAX)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { place, source })?;
        Ok(Self::Postgres(pool))
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(pool) => SQLITE_MIGRATIONS.run(pool).await?,
            Self::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Whether every migration of this program has been applied, and none that it does not know.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        use sqlx::migrate::Migrate as _;
        let (applied, known) = match self {
            Self::Sqlite(pool) => {
                let mut conn = pool.acquire().await?;
                conn.ensure_migrations_table("_sqlx_migrations").await?;
                (conn.list_applied_migrations("_sqlx_migrations").await?, &SQLITE_MIGRATIONS)
            }
            Self::Postgres(pool) => {
                let mut conn = pool.acquire().await?;
                conn.ensure_migrations_table("_sqlx_migrations").await?;
                (conn.list_applied_migrations("_sqlx_migrations").await?, &POSTGRES_MIGRATIONS)
            }
        };
        let applied: Vec<i64> = applied.iter().map(|migration| migration.version).collect();
        let known: Vec<i64> = known.iter().map(|migration| migration.version).collect();
        Ok(applied == known)
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Starts a unit of work that only reads: it sees one state of the database.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => {
                Tx::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        })
    }

    /// Starts a unit of work that writes.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Closes all connections; SQLite folds its log back into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Reads an enum's word from a text column.
fn word<T>(
    parse: fn(&str) -> Option<T>,
    table: &'static str,
    column: &'static str,
    row: impl std::fmt::Display,
    value: &str,
) -> Result<T, StoreError> {
    parse(value).ok_or_else(|| StoreError::corrupt(table, column, row, value))
}

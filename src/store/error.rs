//! What can go wrong with the database, split by what a caller does about it.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum StoreError {
    #[error(
        "`storage.url` is not a database address: {problem}; write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`"
    )]
    Address { problem: String },
    #[error(
        "cannot open the database at `{place}`; check that it exists, that its folder is writable, and the access rights"
    )]
    Open { place: String, source: sqlx::Error },
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the schema could not be brought up to date; restore the backup or run the version of duwang that made it")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("table `{table}`, row `{row}`: column `{column}` holds `{value}`, which this version cannot read")]
    Corrupt { table: &'static str, column: &'static str, row: String, value: String },
    #[error("a stored text could not be unpacked (post {post})")]
    Unpack { post: i64, source: std::io::Error },
}

impl StoreError {
    pub(super) fn corrupt(
        table: &'static str,
        column: &'static str,
        row: impl std::fmt::Display,
        value: impl std::fmt::Display,
    ) -> Self {
        Self::Corrupt { table, column, row: row.to_string(), value: value.to_string() }
    }
}

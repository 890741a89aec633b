//! Closed weeks and their corrections. Rows are only ever added.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use super::{StoreError, Tx, on_conn};
use crate::model::close::{CloseChange, FixedWeek, WeekClose};

#[derive(sqlx::FromRow)]
struct Row {
    last_day: NaiveDate,
    number: i64,
    closed_at: DateTime<Utc>,
    digest: String,
    verdicts: Json<FixedWeek>,
    changes: Json<Vec<CloseChange>>,
}

impl TryFrom<Row> for WeekClose {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            number: u32::try_from(row.number)
                .map_err(|_| StoreError::corrupt("week_closes", "number", row.last_day, row.number))?,
            last_day: row.last_day,
            closed_at: row.closed_at,
            digest: row.digest,
            fixed: row.verdicts.0,
            changes: row.changes.0,
        })
    }
}

impl Tx {
    /// The closes of one week, in order: the report, then its corrections.
    pub async fn closes_of(&mut self, last_day: NaiveDate) -> Result<Vec<WeekClose>, StoreError> {
        const SQL: &str = "SELECT last_day, number, closed_at, digest, verdicts, changes FROM week_closes \
                           WHERE last_day = $1 ORDER BY number";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(last_day).fetch_all(conn).await)?;
        rows.into_iter().map(WeekClose::try_from).collect()
    }

    /// The closes of the last `limit` weeks at most, newest week first, each week's in order.
    pub async fn closes(&mut self, limit: u32) -> Result<Vec<WeekClose>, StoreError> {
        const SQL: &str = "SELECT last_day, number, closed_at, digest, verdicts, changes FROM week_closes \
                           WHERE last_day IN (SELECT last_day FROM week_closes WHERE number = 0 \
                           ORDER BY last_day DESC LIMIT $1) ORDER BY last_day DESC, number";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(WeekClose::try_from).collect()
    }

    /// The last day of the first week that was ever closed.
    pub async fn first_close(&mut self) -> Result<Option<NaiveDate>, StoreError> {
        const SQL: &str = "SELECT last_day FROM week_closes WHERE number = 0 ORDER BY last_day LIMIT 1";
        Ok(on_conn!(self, conn => sqlx::query_scalar(SQL).fetch_optional(conn).await)?)
    }

    /// Adds a close. `false`: another node made this number meanwhile, and nothing was written.
    pub async fn add_close(&mut self, close: &WeekClose) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO week_closes (last_day, number, closed_at, digest, verdicts, changes) \
                           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (last_day, number) DO NOTHING";
        let n_rows = on_conn!(self, conn => sqlx::query(SQL).bind(close.last_day).bind(i64::from(close.number))
            .bind(close.closed_at).bind(&close.digest).bind(Json(&close.fixed)).bind(Json(&close.changes))
            .execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(n_rows > 0)
    }
}

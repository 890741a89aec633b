//! Crawls, what the next crawl of a source must know, and the coverage ledger.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{BINDS_MAX, StoreError, Tx, insert_rows, on_conn, word};
use crate::model::coverage::{Coverage, Span};
use crate::model::crawl::{Crawl, Extent, Outcome, SourceState, Validators};
use crate::model::{AccountId, SourceId};

/// The two words of `crawls.reach`.
const REACH_LISTING: &str = "listing";
const REACH_BRIDGE: &str = "bridge";

#[derive(sqlx::FromRow)]
struct StateRow {
    source_id: String,
    etag: Option<String>,
    last_modified: Option<String>,
    oldest_at: Option<DateTime<Utc>>,
    newest_at: Option<DateTime<Utc>>,
    ended: bool,
    outcome: String,
    detail: String,
    crawled_at: DateTime<Utc>,
    last_success_at: Option<DateTime<Utc>>,
    failures: i64,
    retry_at: Option<DateTime<Utc>>,
    until_at: Option<DateTime<Utc>>,
    last_nonempty_at: Option<DateTime<Utc>>,
    total: Option<i64>,
    failure_counts: Json<BTreeMap<Outcome, u32>>,
}

const STATES: &str = "SELECT source_id, etag, last_modified, oldest_at, newest_at, ended, outcome, detail, crawled_at, \
                      last_success_at, failures, retry_at, until_at, last_nonempty_at, total, failure_counts \
                      FROM source_states";

impl TryFrom<StateRow> for SourceState {
    type Error = StoreError;

    fn try_from(row: StateRow) -> Result<Self, StoreError> {
        Ok(Self {
            outcome: word(Outcome::parse, "source_states", "outcome", &row.source_id, &row.outcome)?,
            failures: u32::try_from(row.failures)
                .map_err(|_| StoreError::corrupt("source_states", "failures", &row.source_id, row.failures))?,
            total: row
                .total
                .map(|total| {
                    u64::try_from(total)
                        .map_err(|_| StoreError::corrupt("source_states", "total", &row.source_id, total))
                })
                .transpose()?,
            source: SourceId::new(row.source_id),
            last_nonempty_at: row.last_nonempty_at,
            failure_counts: row.failure_counts.0,
            validators: Validators { etag: row.etag, last_modified: row.last_modified },
            extent: Extent {
                oldest_at: row.oldest_at,
                newest_at: row.newest_at,
                ended: row.ended,
                until_at: row.until_at,
            },
            detail: row.detail,
            crawled_at: row.crawled_at,
            last_success_at: row.last_success_at,
            retry_at: row.retry_at,
        })
    }
}

/// A successful listing whose proof has not been entered in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsettledCrawl {
    pub source: SourceId,
    pub account: AccountId,
    pub authority: String,
    pub from_bridge: bool,
    pub listed_at: DateTime<Utc>,
    pub extent: Extent,
}

#[derive(sqlx::FromRow)]
struct UnsettledRow {
    source_id: String,
    account_id: String,
    authority: String,
    reach: String,
    listed_at: DateTime<Utc>,
    oldest_at: Option<DateTime<Utc>>,
    newest_at: Option<DateTime<Utc>>,
    ended: bool,
    until_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct SpanRow {
    account_id: String,
    source_id: String,
    from_at: Option<DateTime<Utc>>,
    to_at: DateTime<Utc>,
}

/// A proved span and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedSpan {
    pub account: AccountId,
    pub source: SourceId,
    pub span: Span,
}

impl From<SpanRow> for ProvedSpan {
    fn from(row: SpanRow) -> Self {
        Self {
            account: AccountId::new(row.account_id),
            source: SourceId::new(row.source_id),
            span: Span { from: row.from_at, to: row.to_at },
        }
    }
}

impl Tx {
    /// What is remembered of every source that was ever crawled.
    pub async fn source_states(&mut self) -> Result<HashMap<SourceId, SourceState>, StoreError> {
        let rows: Vec<StateRow> = on_conn!(self, conn => sqlx::query_as(STATES).fetch_all(conn).await)?;
        rows.into_iter().map(|row| SourceState::try_from(row).map(|state| (state.source.clone(), state))).collect()
    }

    /// What is remembered of some sources.
    pub async fn source_states_of(
        &mut self,
        sources: &[&SourceId],
    ) -> Result<HashMap<SourceId, SourceState>, StoreError> {
        let mut states = HashMap::with_capacity(sources.len());
        for chunk in sources.chunks(BINDS_MAX) {
            let rows: Vec<StateRow> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(STATES);
                query.push(" WHERE source_id IN (");
                let mut ids = query.separated(", ");
                for source in chunk {
                    ids.push_bind(source.as_str());
                }
                query.push(")");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            for row in rows {
                let state = SourceState::try_from(row)?;
                states.insert(state.source.clone(), state);
            }
        }
        Ok(states)
    }

    /// Records crawls and the state each leaves behind. A repeated crawl of the same instant replaces itself.
    pub async fn record_crawls(&mut self, crawls: &[(Crawl, SourceState)]) -> Result<(), StoreError> {
        insert_rows!(
            self,
            crawls,
            13,
            "INSERT INTO crawls (source_id, listed_at, authority, reach, outcome, detail, n_items, n_bad, \
             oldest_at, newest_at, ended, settled, until_at) ",
            |b, row| {
                let crawl = &row.0;
                b.push_bind(crawl.source.as_str()).push_bind(crawl.listed_at).push_bind(&crawl.authority);
                b.push_bind(if crawl.from_bridge { REACH_BRIDGE } else { REACH_LISTING });
                b.push_bind(crawl.outcome.as_str()).push_bind(&crawl.detail);
                b.push_bind(count(crawl.n_items)).push_bind(count(crawl.n_bad));
                b.push_bind(crawl.extent.oldest_at).push_bind(crawl.extent.newest_at).push_bind(crawl.extent.ended);
                // A failure proves nothing, so there is nothing left to settle.
                b.push_bind(!crawl.outcome.is_success()).push_bind(crawl.extent.until_at);
            },
            " ON CONFLICT (source_id, listed_at) DO UPDATE SET authority = excluded.authority, \
             reach = excluded.reach, outcome = excluded.outcome, detail = excluded.detail, \
             n_items = excluded.n_items, n_bad = excluded.n_bad, oldest_at = excluded.oldest_at, \
             newest_at = excluded.newest_at, ended = excluded.ended, settled = excluded.settled, \
             until_at = excluded.until_at"
        );
        insert_rows!(
            self,
            crawls,
            16,
            "INSERT INTO source_states (source_id, etag, last_modified, oldest_at, newest_at, ended, outcome, \
             detail, crawled_at, last_success_at, failures, retry_at, until_at, last_nonempty_at, total, \
             failure_counts) ",
            |b, row| {
                let state = &row.1;
                b.push_bind(state.source.as_str()).push_bind(&state.validators.etag);
                b.push_bind(&state.validators.last_modified).push_bind(state.extent.oldest_at);
                b.push_bind(state.extent.newest_at).push_bind(state.extent.ended);
                b.push_bind(state.outcome.as_str()).push_bind(&state.detail).push_bind(state.crawled_at);
                b.push_bind(state.last_success_at).push_bind(i64::from(state.failures)).push_bind(state.retry_at);
                b.push_bind(state.extent.until_at).push_bind(state.last_nonempty_at);
                b.push_bind(state.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX)));
                b.push_bind(Json(&state.failure_counts));
            },
            " ON CONFLICT (source_id) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified, \
             oldest_at = excluded.oldest_at, newest_at = excluded.newest_at, ended = excluded.ended, \
             outcome = excluded.outcome, detail = excluded.detail, crawled_at = excluded.crawled_at, \
             last_success_at = excluded.last_success_at, failures = excluded.failures, \
             retry_at = excluded.retry_at, until_at = excluded.until_at, \
             last_nonempty_at = excluded.last_nonempty_at, total = excluded.total, \
             failure_counts = excluded.failure_counts"
        );
        Ok(())
    }

    /// Successful listings that the ledger does not know yet.
    pub async fn unsettled_crawls(&mut self) -> Result<Vec<UnsettledCrawl>, StoreError> {
        const SQL: &str = "SELECT c.source_id, s.account_id, c.authority, c.reach, c.listed_at, c.oldest_at, \
                           c.newest_at, c.ended, c.until_at FROM crawls c JOIN sources s ON s.id = c.source_id \
                           WHERE NOT c.settled ORDER BY c.listed_at, c.source_id";
        let rows: Vec<UnsettledRow> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows
            .into_iter()
            .map(|row| UnsettledCrawl {
                source: SourceId::new(row.source_id),
                account: AccountId::new(row.account_id),
                authority: row.authority,
                from_bridge: row.reach == REACH_BRIDGE,
                listed_at: row.listed_at,
                extent: Extent {
                    oldest_at: row.oldest_at,
                    newest_at: row.newest_at,
                    ended: row.ended,
                    until_at: row.until_at,
                },
            })
            .collect())
    }

    /// The last sign of life of every bridge.
    pub async fn bridges(&mut self) -> Result<HashMap<String, DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT authority, alive_at FROM bridges";
        let rows: Vec<(String, DateTime<Utc>)> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows.into_iter().collect())
    }

    /// The ledger of every account: the union over its sources.
    pub async fn coverage(&mut self) -> Result<HashMap<AccountId, Coverage>, StoreError> {
        let mut ledger: HashMap<AccountId, Coverage> = HashMap::new();
        for proved in self.proved_spans().await? {
            ledger.entry(proved.account).or_default().add(proved.span);
        }
        Ok(ledger)
    }

    /// The ledger of every source.
    pub async fn proved_spans(&mut self) -> Result<Vec<ProvedSpan>, StoreError> {
        const SQL: &str = "SELECT account_id, source_id, from_at, to_at FROM coverage ORDER BY source_id, to_at";
        let rows: Vec<SpanRow> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(ProvedSpan::from).collect())
    }

    /// What these sources have proved.
    pub async fn proved_spans_of(&mut self, sources: &[&SourceId]) -> Result<Vec<ProvedSpan>, StoreError> {
        let mut spans = Vec::new();
        for chunk in sources.chunks(BINDS_MAX) {
            let rows: Vec<SpanRow> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT account_id, source_id, from_at, to_at FROM coverage WHERE source_id IN (",
                );
                let mut ids = query.separated(", ");
                for source in chunk {
                    ids.push_bind(source.as_str());
                }
                query.push(") ORDER BY source_id, to_at");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            spans.extend(rows.into_iter().map(ProvedSpan::from));
        }
        Ok(spans)
    }

    /// Enters proofs in the ledger: the new spans of whole sources, the signs of life, and which crawls are settled.
    pub async fn settle(
        &mut self,
        spans: &[ProvedSpan],
        bridges: &[(String, DateTime<Utc>)],
        settled: &[UnsettledCrawl],
    ) -> Result<(), StoreError> {
        let mut sources: Vec<&SourceId> = spans.iter().map(|proved| &proved.source).collect();
        sources.sort_unstable();
        sources.dedup();
        for chunk in sources.chunks(BINDS_MAX) {
            on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("DELETE FROM coverage WHERE source_id IN (");
                let mut ids = query.separated(", ");
                for source in chunk {
                    ids.push_bind(source.as_str());
                }
                query.push(")");
                query.build().persistent(false).execute(conn).await?;
            });
        }
        insert_rows!(
            self,
            spans,
            4,
            "INSERT INTO coverage (account_id, source_id, from_at, to_at) ",
            |b, proved| {
                b.push_bind(proved.account.as_str()).push_bind(proved.source.as_str());
                b.push_bind(proved.span.from).push_bind(proved.span.to);
            },
            ""
        );
        insert_rows!(
            self,
            bridges,
            2,
            "INSERT INTO bridges (authority, alive_at) ",
            |b, row| {
                b.push_bind(&row.0).push_bind(row.1);
            },
            " ON CONFLICT (authority) DO UPDATE SET alive_at = excluded.alive_at"
        );
        for chunk in settled.chunks(BINDS_MAX / 4) {
            on_conn!(&mut *self, conn => {
                // The first condition is for SQLite, which uses no index for the second.
                let mut query = sqlx::QueryBuilder::new("UPDATE crawls SET settled = TRUE WHERE source_id IN (");
                let mut ids = query.separated(", ");
                for crawl in chunk {
                    ids.push_bind(crawl.source.as_str());
                }
                query.push(") AND NOT settled AND (source_id, listed_at) IN (");
                query.push_values(chunk, |mut b, crawl| {
                    b.push_bind(crawl.source.as_str()).push_bind(crawl.listed_at);
                });
                query.push(")");
                query.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
    }
}

/// A count as the database's integer; counts are bounded far below its limit.
fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

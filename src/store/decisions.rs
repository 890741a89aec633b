//! What people decided of wording findings, and what is known of each entry.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{BINDS_MAX, StoreError, Tx, insert_rows, on_conn, word};
use crate::model::ViolationId;
use crate::model::decision::{Decision, EntryStats, WordingDecision};
use crate::model::violation::{Context, Severity, Tier, WordingClass};

const TABLE: &str = "wording_decisions";

#[derive(sqlx::FromRow)]
struct DecisionRow {
    violation_id: String,
    decision: String,
    entry: String,
    class: Option<String>,
    severity: String,
    tier: String,
    words: String,
    suggestion: Option<String>,
    context_before: Option<String>,
    context_after: Option<String>,
    at: DateTime<Utc>,
    note: Option<String>,
}

const COLUMNS: &str = "violation_id, decision, entry, class, severity, tier, words, suggestion, context_before, \
                       context_after, at, note";

impl TryFrom<DecisionRow> for WordingDecision {
    type Error = StoreError;

    fn try_from(row: DecisionRow) -> Result<Self, StoreError> {
        let id = &row.violation_id;
        let class = row.class.as_deref().map(|class| word(WordingClass::parse, TABLE, "class", id, class));
        Ok(Self {
            decision: word(Decision::parse, TABLE, "decision", id, &row.decision)?,
            class: class.transpose()?,
            severity: word(Severity::parse, TABLE, "severity", id, &row.severity)?,
            tier: word(Tier::parse, TABLE, "tier", id, &row.tier)?,
            entry: row.entry,
            words: row.words,
            suggestion: row.suggestion,
            context: row.context_before.zip(row.context_after).map(|(before, after)| Context { before, after }),
            at: row.at,
            note: row.note,
            violation: ViolationId::new(row.violation_id),
        })
    }
}

#[derive(sqlx::FromRow)]
struct StatsRow {
    entry: String,
    n_hits: i64,
    n_confirmed: i64,
    n_dismissed: i64,
}

impl TryFrom<StatsRow> for EntryStats {
    type Error = StoreError;

    fn try_from(row: StatsRow) -> Result<Self, StoreError> {
        let number = |column, n: i64| u32::try_from(n).map_err(|_| StoreError::corrupt(TABLE, column, &row.entry, n));
        Ok(Self {
            n_hits: u64::try_from(row.n_hits).unwrap_or_default(),
            n_confirmed: number("decision", row.n_confirmed)?,
            n_dismissed: number("decision", row.n_dismissed)?,
            entry: row.entry,
        })
    }
}

impl Tx {
    /// Begins a unit of work that decides: whoever brings violations up to date waits until it is over. SQLite has one
    /// writer at a time anyway.
    pub async fn begin_deciding(&mut self) -> Result<(), StoreError> {
        self.lock_on_postgres("LOCK TABLE wording_decisions IN EXCLUSIVE MODE").await
    }

    /// Begins a unit of work that brings violations up to date: nobody decides of them until it is over.
    pub async fn hold_decisions(&mut self) -> Result<(), StoreError> {
        self.lock_on_postgres("LOCK TABLE wording_decisions IN SHARE MODE").await
    }

    async fn lock_on_postgres(&mut self, sql: &'static str) -> Result<(), StoreError> {
        if let Self::Postgres(tx) = self {
            sqlx::query(sql).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Writes decisions. Who decides again replaces what was said, but the tier stays that of the finding at first.
    pub async fn record_decisions(&mut self, decisions: &[WordingDecision]) -> Result<(), StoreError> {
        insert_rows!(
            self,
            decisions,
            12,
            "INSERT INTO wording_decisions (violation_id, decision, entry, class, severity, tier, words, suggestion, \
             context_before, context_after, at, note) ",
            |b, d| {
                b.push_bind(d.violation.as_str()).push_bind(d.decision.as_str()).push_bind(&d.entry);
                b.push_bind(d.class.map(WordingClass::as_str)).push_bind(d.severity.as_str());
                b.push_bind(d.tier.as_str()).push_bind(&d.words).push_bind(&d.suggestion);
                b.push_bind(d.context.as_ref().map(|context| context.before.as_str()));
                b.push_bind(d.context.as_ref().map(|context| context.after.as_str()));
                b.push_bind(d.at).push_bind(&d.note);
            },
            " ON CONFLICT (violation_id) DO UPDATE SET decision = excluded.decision, words = excluded.words, \
             suggestion = excluded.suggestion, context_before = excluded.context_before, \
             context_after = excluded.context_after, at = excluded.at, note = excluded.note"
        );
        Ok(())
    }

    /// What was decided of these violations; those of which nobody decided are left out.
    pub async fn decisions_of(
        &mut self,
        violations: &[&ViolationId],
    ) -> Result<HashMap<ViolationId, WordingDecision>, StoreError> {
        let mut decisions = HashMap::new();
        for chunk in violations.chunks(BINDS_MAX) {
            let rows: Vec<DecisionRow> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("SELECT ");
                query.push(COLUMNS).push(" FROM wording_decisions WHERE violation_id IN (");
                let mut ids = query.separated(", ");
                for id in chunk {
                    ids.push_bind(id.as_str());
                }
                query.push(")");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            for row in rows {
                let decision = WordingDecision::try_from(row)?;
                decisions.insert(decision.violation.clone(), decision);
            }
        }
        Ok(decisions)
    }

    /// The newest decisions, newest first.
    pub async fn decisions(&mut self, limit: u32) -> Result<Vec<WordingDecision>, StoreError> {
        let rows: Vec<DecisionRow> = on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(" FROM wording_decisions ORDER BY at DESC, violation_id LIMIT ");
            query.push_bind(i64::from(limit));
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(WordingDecision::try_from).collect()
    }

    /// The decisions on each entry that anybody decided of, without its hits: cheap enough for every batch of texts.
    pub async fn decision_counts(&mut self) -> Result<Vec<EntryStats>, StoreError> {
        const SQL: &str = "SELECT entry, CAST(0 AS BIGINT) AS n_hits, \
                           COUNT(*) FILTER (WHERE decision = 'confirmed') AS n_confirmed, \
                           COUNT(*) FILTER (WHERE decision = 'dismissed') AS n_dismissed \
                           FROM wording_decisions GROUP BY entry";
        let rows: Vec<StatsRow> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        rows.into_iter().map(EntryStats::try_from).collect()
    }

    /// Hits and decisions of every entry that has any; most hits first.
    pub async fn entry_stats(&mut self) -> Result<Vec<EntryStats>, StoreError> {
        const SQL: &str = "SELECT entry, CAST(SUM(n_hits) AS BIGINT) AS n_hits, \
                           CAST(SUM(n_confirmed) AS BIGINT) AS n_confirmed, \
                           CAST(SUM(n_dismissed) AS BIGINT) AS n_dismissed FROM (SELECT subject AS entry, \
                           COUNT(*) AS n_hits, 0 AS n_confirmed, 0 AS n_dismissed FROM violations \
                           WHERE kind = 'wording' GROUP BY subject UNION ALL SELECT entry, 0 AS n_hits, \
                           COUNT(*) FILTER (WHERE decision = 'confirmed') AS n_confirmed, \
                           COUNT(*) FILTER (WHERE decision = 'dismissed') AS n_dismissed \
                           FROM wording_decisions GROUP BY entry) both_tables GROUP BY entry";
        let rows: Vec<StatsRow> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        let mut stats = rows.into_iter().map(EntryStats::try_from).collect::<Result<Vec<_>, _>>()?;
        // Here, because the two databases order text differently.
        stats.sort_by(|a, b| (b.n_hits, &a.entry).cmp(&(a.n_hits, &b.entry)));
        Ok(stats)
    }
}

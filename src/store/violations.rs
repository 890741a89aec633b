//! Problems, what happened to each, and what a report tells of them.

use chrono::{DateTime, Utc};

use super::{BINDS_MAX, StoreError, Tx, insert_rows, on_conn, word};
use crate::model::account::AccountKind;
use crate::model::decision::WordingDecision;
use crate::model::post::TextOrigin;
use crate::model::recheck::RecheckOutcome;
use crate::model::violation::{
    Context, PostRef, Severity, Tier, Violation, ViolationKind, ViolationRecord, ViolationState, WordingClass,
};
use crate::model::week::Window;
use crate::model::{AccountId, PostId, ViolationId};

/// A violation as it stands, with the number of events recorded of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredViolation {
    pub violation: Violation,
    pub n_events: u32,
}

/// One event in the life of a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViolationEvent {
    pub violation: ViolationId,
    /// From 1, in order.
    pub seq: u32,
    pub at: DateTime<Utc>,
    pub state: ViolationState,
    pub detail: String,
}

/// Which violations are listed; an absent condition lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViolationFilter {
    pub state: Option<ViolationState>,
    pub kind: Option<ViolationKind>,
    pub tier: Option<Tier>,
    pub account: Option<AccountId>,
}

/// Where and when the text of a violation was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub origin: TextOrigin,
    /// The address of the listing; none where the text came from the post's own page or was handed in.
    pub source_url: Option<String>,
    pub seen_at: DateTime<Utc>,
}

/// Everything that explains one violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViolationChain {
    pub record: ViolationRecord,
    pub events: Vec<ViolationEvent>,
    pub sighting: Option<Sighting>,
    /// When the post was last looked at again, and what it brought.
    pub recheck: Option<(DateTime<Utc>, RecheckOutcome)>,
    /// What a person decided of it.
    pub decision: Option<WordingDecision>,
    pub account_name: String,
    pub account_kind: AccountKind,
    pub unit_name: String,
}

#[derive(sqlx::FromRow)]
struct ViolationRow {
    id: String,
    kind: String,
    account_id: String,
    post_id: Option<i64>,
    subject: String,
    class: Option<String>,
    severity: String,
    tier: String,
    state: String,
    message: String,
    basis: String,
    found: String,
    suggestion: Option<String>,
    context_before: Option<String>,
    context_after: Option<String>,
    span_start: Option<i64>,
    span_end: Option<i64>,
    occurrences: i64,
    post_version: Option<i64>,
    lists_version: Option<String>,
    window_from: Option<DateTime<Utc>>,
    window_to: Option<DateTime<Utc>>,
    first_seen_at: DateTime<Utc>,
    n_events: i64,
    post_title: Option<String>,
    post_url: Option<String>,
    post_published_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "SELECT v.id, v.kind, v.account_id, v.post_id, v.subject, v.class, v.severity, v.tier, v.state, \
                      v.message, v.basis, v.found, v.suggestion, v.context_before, v.context_after, v.span_start, \
                      v.span_end, v.occurrences, v.post_version, v.lists_version, v.window_from, v.window_to, \
                      v.first_seen_at, (SELECT COUNT(*) FROM violation_events e WHERE e.violation_id = v.id) AS n_events, \
                      p.title AS post_title, p.url AS post_url, p.published_at AS post_published_at \
                      FROM violations v LEFT JOIN posts p ON p.id = v.post_id ";

impl TryFrom<ViolationRow> for (StoredViolation, Option<PostRef>) {
    type Error = StoreError;

    fn try_from(row: ViolationRow) -> Result<Self, StoreError> {
        const TABLE: &str = "violations";
        let number =
            |column, value: i64| u32::try_from(value).map_err(|_| StoreError::corrupt(TABLE, column, &row.id, value));
        let place =
            |column, value: i64| usize::try_from(value).map_err(|_| StoreError::corrupt(TABLE, column, &row.id, value));
        let span = match (row.span_start, row.span_end) {
            (Some(start), Some(end)) => Some((place("span_start", start)?, place("span_end", end)?)),
            _ => None,
        };
        let class = row.class.as_deref().map(|class| word(WordingClass::parse, TABLE, "class", &row.id, class));
        let violation = Violation {
            kind: word(ViolationKind::parse, TABLE, "kind", &row.id, &row.kind)?,
            severity: word(Severity::parse, TABLE, "severity", &row.id, &row.severity)?,
            tier: word(Tier::parse, TABLE, "tier", &row.id, &row.tier)?,
            state: word(ViolationState::parse, TABLE, "state", &row.id, &row.state)?,
            class: class.transpose()?,
            occurrences: number("occurrences", row.occurrences)?,
            post_version: row.post_version.map(|version| number("post_version", version)).transpose()?,
            account: AccountId::new(row.account_id),
            post: row.post_id.map(PostId),
            subject: row.subject,
            message: row.message,
            basis: row.basis,
            found: row.found,
            suggestion: row.suggestion,
            context: row.context_before.zip(row.context_after).map(|(before, after)| Context { before, after }),
            span,
            lists_version: row.lists_version,
            window: row.window_from.zip(row.window_to).map(|(from, to)| Window { from, to }),
            first_seen_at: row.first_seen_at,
            id: ViolationId::new(row.id.clone()),
        };
        let post =
            row.post_title.map(|title| PostRef { title, url: row.post_url, published_at: row.post_published_at });
        let n_events = u32::try_from(row.n_events)
            .map_err(|_| StoreError::corrupt("violation_events", "seq", &row.id, row.n_events))?;
        Ok((StoredViolation { violation, n_events }, post))
    }
}

impl Tx {
    /// The violations of some posts, of every kind.
    pub async fn violations_of_posts(&mut self, posts: &[PostId]) -> Result<Vec<StoredViolation>, StoreError> {
        let mut found = Vec::new();
        for chunk in posts.chunks(BINDS_MAX) {
            let rows: Vec<ViolationRow> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(SELECT);
                query.push("WHERE v.post_id IN (");
                let mut ids = query.separated(", ");
                for post in chunk {
                    ids.push_bind(post.0);
                }
                query.push(") ORDER BY v.id");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            for row in rows {
                found.push(<(StoredViolation, Option<PostRef>)>::try_from(row)?.0);
            }
        }
        Ok(found)
    }

    /// Violations that pass the filter, the newest first.
    pub async fn list_violations(
        &mut self,
        filter: &ViolationFilter,
        limit: u32,
    ) -> Result<Vec<ViolationRecord>, StoreError> {
        let conditions = [
            (" AND v.state = ", filter.state.map(ViolationState::as_str)),
            (" AND v.kind = ", filter.kind.map(ViolationKind::as_str)),
            (" AND v.tier = ", filter.tier.map(Tier::as_str)),
            (" AND v.account_id = ", filter.account.as_ref().map(AccountId::as_str)),
        ];
        let rows: Vec<ViolationRow> = on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("WHERE TRUE");
            for (condition, value) in conditions {
                if let Some(value) = value {
                    query.push(condition).push_bind(value);
                }
            }
            query.push(" ORDER BY v.first_seen_at DESC, v.id LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(record).collect()
    }

    /// The violations with these ids; unknown ids are left out.
    pub async fn violations_by_id(&mut self, ids: &[ViolationId]) -> Result<Vec<StoredViolation>, StoreError> {
        let mut found = Vec::new();
        for chunk in ids.chunks(BINDS_MAX) {
            let rows: Vec<ViolationRow> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(SELECT);
                query.push("WHERE v.id IN (");
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(id.as_str());
                }
                query.push(") ORDER BY v.id");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            for row in rows {
                found.push(<(StoredViolation, Option<PostRef>)>::try_from(row)?.0);
            }
        }
        Ok(found)
    }

    /// All frequency violations of windows that end at one of the given instants.
    pub async fn frequency_violations(
        &mut self,
        window_ends: &[DateTime<Utc>],
    ) -> Result<Vec<StoredViolation>, StoreError> {
        if window_ends.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<ViolationRow> = on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("WHERE v.kind = 'frequency' AND v.window_to IN (");
            let mut ends = query.separated(", ");
            for end in window_ends {
                ends.push_bind(*end);
            }
            query.push(") ORDER BY v.id");
            query.build_query_as().persistent(false).fetch_all(conn).await?
        });
        rows.into_iter().map(|row| Ok(<(StoredViolation, Option<PostRef>)>::try_from(row)?.0)).collect()
    }

    /// All registry violations.
    pub async fn registry_violations(&mut self) -> Result<Vec<StoredViolation>, StoreError> {
        let rows: Vec<ViolationRow> = on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("WHERE v.kind = 'registry' ORDER BY v.id");
            query.build_query_as().persistent(false).fetch_all(conn).await?
        });
        rows.into_iter().map(|row| Ok(<(StoredViolation, Option<PostRef>)>::try_from(row)?.0)).collect()
    }

    /// Wording violations of posts published in the window.
    pub async fn wording_violations(&mut self, window: Window) -> Result<Vec<ViolationRecord>, StoreError> {
        let rows: Vec<ViolationRow> = on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("WHERE v.kind = 'wording' AND p.published_at >= ").push_bind(window.from);
            query.push(" AND p.published_at < ").push_bind(window.to);
            query.push(" ORDER BY v.account_id, p.published_at, p.key, v.span_start, v.id");
            query.build_query_as().persistent(false).fetch_all(conn).await?
        });
        rows.into_iter().map(record).collect()
    }

    /// Link violations first seen in the window: a link dies long after its post was published.
    pub async fn link_violations(&mut self, window: Window) -> Result<Vec<ViolationRecord>, StoreError> {
        let rows: Vec<ViolationRow> = on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("WHERE v.kind = 'link' AND v.first_seen_at >= ").push_bind(window.from);
            query.push(" AND v.first_seen_at < ").push_bind(window.to);
            query.push(" ORDER BY v.account_id, v.first_seen_at, v.id");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(record).collect()
    }

    /// One violation and what happened to it.
    pub async fn violation_chain(&mut self, id: &ViolationId) -> Result<Option<ViolationChain>, StoreError> {
        const ACCOUNT: &str = "SELECT a.name, a.kind, u.name FROM accounts a JOIN units u ON u.id = a.unit_id \
                               WHERE a.id = $1";
        let row: Option<ViolationRow> = on_conn!(&mut *self, conn => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push("WHERE v.id = ").push_bind(id.as_str());
            query.build_query_as().persistent(false).fetch_optional(conn).await?
        });
        let Some(row) = row else { return Ok(None) };
        let record = record(row)?;
        let account = record.violation.account.clone();
        let (account_name, kind, unit_name): (String, String, String) = on_conn!(&mut *self, conn =>
            sqlx::query_as(ACCOUNT).bind(account.as_str()).fetch_one(conn).await?);
        let events = self.violation_events(id).await?;
        let sighting = match (record.violation.post, record.violation.post_version) {
            (Some(post), Some(version)) => self.sighting(post, version).await?,
            _ => None,
        };
        let recheck = match record.violation.post {
            Some(post) => self.recheck_of(post).await?,
            None => None,
        };
        let decision = self.decisions_of(&[id]).await?.remove(id);
        let account_kind = word(AccountKind::parse, "accounts", "kind", &account, &kind)?;
        Ok(Some(ViolationChain { record, events, sighting, recheck, decision, account_name, account_kind, unit_name }))
    }

    async fn sighting(&mut self, post: PostId, version: u32) -> Result<Option<Sighting>, StoreError> {
        const SQL: &str = "SELECT v.origin, s.url, v.seen_at FROM post_versions v \
                           LEFT JOIN sources s ON s.id = v.source_id WHERE v.post_id = $1 AND v.version = $2";
        let row: Option<(String, Option<String>, DateTime<Utc>)> = on_conn!(self, conn => sqlx::query_as(SQL)
            .bind(post.0).bind(i64::from(version)).fetch_optional(conn).await)?;
        row.map(|(origin, source_url, seen_at)| {
            let origin = word(TextOrigin::parse, "post_versions", "origin", post.0, &origin)?;
            Ok(Sighting { origin, source_url, seen_at })
        })
        .transpose()
    }

    async fn violation_events(&mut self, id: &ViolationId) -> Result<Vec<ViolationEvent>, StoreError> {
        const SQL: &str = "SELECT seq, at, state, detail FROM violation_events WHERE violation_id = $1 ORDER BY seq";
        let rows: Vec<(i64, DateTime<Utc>, String, String)> =
            on_conn!(self, conn => sqlx::query_as(SQL).bind(id.as_str()).fetch_all(conn).await)?;
        rows.into_iter()
            .map(|(seq, at, state, detail)| {
                Ok(ViolationEvent {
                    violation: id.clone(),
                    seq: u32::try_from(seq).map_err(|_| StoreError::corrupt("violation_events", "seq", id, seq))?,
                    at,
                    state: word(ViolationState::parse, "violation_events", "state", id, &state)?,
                    detail,
                })
            })
            .collect()
    }

    /// Writes violations as they now stand, and what happened to them.
    pub async fn save_violations(
        &mut self,
        violations: &[Violation],
        events: &[ViolationEvent],
    ) -> Result<(), StoreError> {
        insert_rows!(
            self,
            violations,
            23,
            "INSERT INTO violations (id, kind, account_id, post_id, subject, class, severity, tier, state, message, \
             basis, found, suggestion, context_before, context_after, span_start, span_end, occurrences, \
             post_version, lists_version, window_from, window_to, first_seen_at) ",
            |b, v| {
                b.push_bind(v.id.as_str()).push_bind(v.kind.as_str()).push_bind(v.account.as_str());
                b.push_bind(v.post.map(|post| post.0)).push_bind(&v.subject);
                b.push_bind(v.class.map(WordingClass::as_str)).push_bind(v.severity.as_str());
                b.push_bind(v.tier.as_str()).push_bind(v.state.as_str()).push_bind(&v.message).push_bind(&v.basis);
                b.push_bind(&v.found).push_bind(&v.suggestion);
                b.push_bind(v.context.as_ref().map(|context| context.before.as_str()));
                b.push_bind(v.context.as_ref().map(|context| context.after.as_str()));
                b.push_bind(v.span.and_then(|(start, _)| i64::try_from(start).ok()));
                b.push_bind(v.span.and_then(|(_, end)| i64::try_from(end).ok()));
                b.push_bind(i64::from(v.occurrences)).push_bind(v.post_version.map(i64::from));
                b.push_bind(&v.lists_version).push_bind(v.window.map(|window| window.from));
                b.push_bind(v.window.map(|window| window.to)).push_bind(v.first_seen_at);
            },
            " ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, tier = excluded.tier, \
             state = excluded.state, message = excluded.message, basis = excluded.basis, found = excluded.found, \
             suggestion = excluded.suggestion, context_before = excluded.context_before, \
             context_after = excluded.context_after, span_start = excluded.span_start, \
             span_end = excluded.span_end, occurrences = excluded.occurrences, \
             post_version = excluded.post_version, lists_version = excluded.lists_version"
        );
        insert_rows!(
            self,
            events,
            5,
            "INSERT INTO violation_events (violation_id, seq, at, state, detail) ",
            |b, event| {
                b.push_bind(event.violation.as_str()).push_bind(i64::from(event.seq)).push_bind(event.at);
                b.push_bind(event.state.as_str()).push_bind(&event.detail);
            },
            " ON CONFLICT (violation_id, seq) DO NOTHING"
        );
        Ok(())
    }
}

fn record(row: ViolationRow) -> Result<ViolationRecord, StoreError> {
    let (stored, post) = <(StoredViolation, Option<PostRef>)>::try_from(row)?;
    Ok(ViolationRecord { violation: stored.violation, post })
}

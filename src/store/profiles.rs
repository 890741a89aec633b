//! How platforms show the accounts: names and verification, as each source told it last.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, insert_rows, on_conn};
use crate::model::crawl::Profile;
use crate::model::{AccountId, SourceId};

/// A profile that a source has just told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenProfile {
    pub source: SourceId,
    pub account: AccountId,
    pub profile: Profile,
    pub seen_at: DateTime<Utc>,
}

/// A profile as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProfile {
    pub account: AccountId,
    pub profile: Profile,
    /// The last time the account was shown as verified.
    pub verified_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    account_id: String,
    name: Option<String>,
    verified: Option<bool>,
    platform_id: Option<String>,
    verified_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// Keeps what sources said of accounts; what one does not say this time, it still said last.
    pub async fn record_profiles(&mut self, profiles: &[SeenProfile]) -> Result<(), StoreError> {
        insert_rows!(
            self,
            profiles,
            7,
            "INSERT INTO account_profiles (source_id, account_id, name, verified, platform_id, seen_at, verified_at) ",
            |b, seen| {
                b.push_bind(seen.source.as_str()).push_bind(seen.account.as_str()).push_bind(&seen.profile.name);
                b.push_bind(seen.profile.verified).push_bind(&seen.profile.platform_id).push_bind(seen.seen_at);
                b.push_bind((seen.profile.verified == Some(true)).then_some(seen.seen_at));
            },
            " ON CONFLICT (source_id) DO UPDATE SET name = COALESCE(excluded.name, account_profiles.name), \
             verified = COALESCE(excluded.verified, account_profiles.verified), \
             platform_id = COALESCE(excluded.platform_id, account_profiles.platform_id), \
             seen_at = excluded.seen_at, \
             verified_at = COALESCE(excluded.verified_at, account_profiles.verified_at)"
        );
        Ok(())
    }

    /// Every remembered profile of a source that is still registered, the newest last.
    pub async fn profiles(&mut self) -> Result<Vec<StoredProfile>, StoreError> {
        const SQL: &str = "SELECT p.account_id, p.name, p.verified, p.platform_id, p.verified_at \
                           FROM account_profiles p JOIN sources s ON s.id = p.source_id \
                           WHERE s.present ORDER BY p.seen_at, p.source_id";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows
            .into_iter()
            .map(|row| StoredProfile {
                account: AccountId::new(row.account_id),
                profile: Profile { name: row.name, verified: row.verified, platform_id: row.platform_id },
                verified_at: row.verified_at,
            })
            .collect())
    }
}

//! The registry as the configuration files last said it, with the history of each account's changes.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use super::{StoreError, Tx, insert_rows, on_conn, word};
use crate::model::account::{Account, AccountStatus, Unit};
use crate::model::rule::Exemption;
use crate::model::{AccountId, RuleId, UnitId};

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: String,
    unit_id: String,
    name: String,
    kind: String,
    platform_id: Option<String>,
    status: String,
    filed_on: Option<NaiveDate>,
    present: bool,
}

/// One change of an account's registration.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AccountChange {
    pub account_id: String,
    pub at: DateTime<Utc>,
    pub field: String,
    pub old_value: Option<String>,
    pub new_value: Option<String>,
}

/// The statuses of accounts, each from its instant on, oldest first.
pub type StatusHistory = HashMap<AccountId, Vec<(DateTime<Utc>, AccountStatus)>>;

impl Tx {
    /// Mirrors units, accounts, sources and exemptions; lines no longer in the files are kept and marked as gone.
    /// Returns the changes of accounts, which are also recorded.
    pub async fn sync_registry(
        &mut self,
        units: &[Unit],
        accounts: &[Account],
        exemptions: &[Exemption],
        now: DateTime<Utc>,
    ) -> Result<Vec<AccountChange>, StoreError> {
        let before = self.account_rows().await?;
        let changes = changes_of(&before, accounts, now);
        self.mirror_units(units).await?;
        self.mirror_accounts(accounts).await?;
        self.mirror_sources(accounts).await?;
        self.mirror_exemptions(exemptions).await?;
        insert_rows!(
            self,
            changes,
            5,
            "INSERT INTO account_history (account_id, at, field, old_value, new_value) ",
            |b, row| {
                b.push_bind(&row.account_id).push_bind(row.at).push_bind(&row.field);
                b.push_bind(&row.old_value).push_bind(&row.new_value);
            },
            " ON CONFLICT (account_id, at, field) DO UPDATE SET new_value = excluded.new_value"
        );
        Ok(changes)
    }

    async fn account_rows(&mut self) -> Result<Vec<AccountRow>, StoreError> {
        const SQL: &str = "SELECT id, unit_id, name, kind, platform_id, status, filed_on, present FROM accounts";
        Ok(on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?)
    }

    async fn mirror_units(&mut self, units: &[Unit]) -> Result<(), StoreError> {
        on_conn!(self, conn => sqlx::query("UPDATE units SET present = FALSE").execute(conn).await.map(drop))?;
        insert_rows!(
            self,
            units,
            6,
            "INSERT INTO units (id, name, level, region, supervisor, present) ",
            |b, unit| {
                b.push_bind(unit.id.as_str()).push_bind(&unit.name).push_bind(unit.level.as_str());
                b.push_bind(&unit.region).push_bind(unit.supervisor.as_ref().map(UnitId::as_str)).push_bind(true);
            },
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, level = excluded.level, \
             region = excluded.region, supervisor = excluded.supervisor, present = TRUE"
        );
        Ok(())
    }

    async fn mirror_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        on_conn!(self, conn => sqlx::query("UPDATE accounts SET present = FALSE").execute(conn).await.map(drop))?;
        insert_rows!(
            self,
            accounts,
            8,
            "INSERT INTO accounts (id, unit_id, name, kind, platform_id, status, filed_on, present) ",
            |b, account| {
                b.push_bind(account.id.as_str()).push_bind(account.unit.as_str()).push_bind(&account.name);
                b.push_bind(account.kind.as_str()).push_bind(&account.platform_id);
                b.push_bind(account.status.as_str()).push_bind(account.filed_on).push_bind(true);
            },
            " ON CONFLICT (id) DO UPDATE SET unit_id = excluded.unit_id, name = excluded.name, kind = excluded.kind, \
             platform_id = excluded.platform_id, status = excluded.status, filed_on = excluded.filed_on, present = TRUE"
        );
        Ok(())
    }

    async fn mirror_sources(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        let sources: Vec<_> = accounts
            .iter()
            .flat_map(|account| {
                (0_i64..).zip(&account.sources).map(move |(position, source)| (account, position, source))
            })
            .collect();
        on_conn!(self, conn => sqlx::query("UPDATE sources SET present = FALSE").execute(conn).await.map(drop))?;
        insert_rows!(
            self,
            sources,
            6,
            "INSERT INTO sources (id, account_id, position, kind, url, present) ",
            |b, row| {
                let (account, position, source) = row;
                b.push_bind(source.id.as_str()).push_bind(account.id.as_str()).push_bind(*position);
                b.push_bind(source.spec.kind()).push_bind(source.url.as_str()).push_bind(true);
            },
            " ON CONFLICT (id) DO UPDATE SET position = excluded.position, url = excluded.url, present = TRUE"
        );
        Ok(())
    }

    async fn mirror_exemptions(&mut self, exemptions: &[Exemption]) -> Result<(), StoreError> {
        on_conn!(self, conn => sqlx::query("UPDATE exemptions SET present = FALSE").execute(conn).await.map(drop))?;
        insert_rows!(
            self,
            exemptions,
            8,
            "INSERT INTO exemptions (id, account_id, rules, from_day, to_day, reason, reported_by, present) ",
            |b, exemption| {
                let rules: Vec<&str> = exemption.rules.iter().map(RuleId::as_str).collect();
                b.push_bind(exemption.id.as_str()).push_bind(exemption.account.as_str()).push_bind(Json(rules));
                b.push_bind(exemption.from).push_bind(exemption.to).push_bind(&exemption.reason);
                b.push_bind(&exemption.reported_by).push_bind(true);
            },
            " ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, rules = excluded.rules, \
             from_day = excluded.from_day, to_day = excluded.to_day, reason = excluded.reason, \
             reported_by = excluded.reported_by, present = TRUE"
        );
        Ok(())
    }

    /// When each account was last seen to become deregistered.
    pub async fn deregistrations(&mut self) -> Result<HashMap<AccountId, DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT account_id, MAX(at) FROM account_history \
                           WHERE field = 'status' AND new_value = $1 GROUP BY account_id";
        let status = AccountStatus::Deregistered.as_str();
        let rows: Vec<(String, DateTime<Utc>)> =
            on_conn!(self, conn => sqlx::query_as(SQL).bind(status).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(|(account, at)| (AccountId::new(account), at)).collect())
    }

    /// The statuses of every account, each from its instant on, oldest first.
    pub async fn status_history(&mut self) -> Result<StatusHistory, StoreError> {
        const SQL: &str = "SELECT account_id, at, new_value FROM account_history \
                           WHERE field = 'status' AND new_value IS NOT NULL ORDER BY account_id, at";
        let rows: Vec<(String, DateTime<Utc>, String)> =
            on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        let mut history = StatusHistory::new();
        for (account, at, status) in rows {
            let status = word(AccountStatus::parse, "account_history", "new_value", &account, &status)?;
            history.entry(AccountId::new(account)).or_default().push((at, status));
        }
        Ok(history)
    }

    /// The recorded changes of one account, oldest first.
    pub async fn account_changes(&mut self, account: &AccountId) -> Result<Vec<AccountChange>, StoreError> {
        const SQL: &str = "SELECT account_id, at, field, old_value, new_value FROM account_history \
                           WHERE account_id = $1 ORDER BY at, field";
        Ok(on_conn!(self, conn => sqlx::query_as(SQL).bind(account.as_str()).fetch_all(conn).await)?)
    }
}

/// What differs between the mirror and the files, field by field. A new account is recorded by its status.
fn changes_of(before: &[AccountRow], accounts: &[Account], now: DateTime<Utc>) -> Vec<AccountChange> {
    let old: HashMap<&str, &AccountRow> = before.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut changes = Vec::new();
    let mut change = |account: &str, field: &str, old_value: Option<String>, new_value: Option<String>| {
        if old_value != new_value {
            let (account_id, field) = (account.to_owned(), field.to_owned());
            changes.push(AccountChange { account_id, at: now, field, old_value, new_value });
        }
    };
    for account in accounts {
        let id = account.id.as_str();
        let row = old.get(id).copied();
        let was = |value: fn(&AccountRow) -> &str| row.map(|row| value(row).to_owned());
        change(id, "status", was(|row| &row.status), Some(account.status.to_string()));
        let Some(row) = row else { continue };
        change(id, "unit", was(|row| &row.unit_id), Some(account.unit.to_string()));
        change(id, "name", was(|row| &row.name), Some(account.name.clone()));
        change(id, "kind", was(|row| &row.kind), Some(account.kind.to_string()));
        change(id, "platform_id", row.platform_id.clone(), account.platform_id.clone());
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
        change(id, "filed_on", day(row.filed_on), day(account.filed_on));
        change(id, "present", Some(row.present.to_string()), Some(true.to_string()));
    }
    let named: HashSet<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    for row in before.iter().filter(|row| row.present && !named.contains(row.id.as_str())) {
        change(&row.id, "present", Some(true.to_string()), Some(false.to_string()));
    }
    changes
}

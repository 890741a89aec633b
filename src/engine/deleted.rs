//! Posts that a platform calls deleted: they are noted, and their open problems closed as removed, which is not the same as
//! rectified.

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::judge::Changes;
use crate::model::AccountId;
use crate::model::violation::{ViolationKind, ViolationState};
use crate::source::link::is_wechat_key_without_sn;
use crate::store::Tx;

/// Posts of one account that are gone.
pub(super) struct Deleted {
    account: AccountId,
    keys: Vec<String>,
    /// Beginnings of keys: WeChat does not tell the whole link of a deleted article.
    beginnings: Vec<String>,
    seen_at: DateTime<Utc>,
}

impl Deleted {
    pub(super) fn new(account: AccountId, keys: Vec<String>, seen_at: DateTime<Utc>) -> Self {
        let (partial, keys): (Vec<String>, Vec<String>) =
            keys.into_iter().partition(|key| is_wechat_key_without_sn(key));
        let beginnings = partial.into_iter().map(|key| key + "&sn=").collect();
        Self { account, keys, beginnings, seen_at }
    }

    /// One post, under the very key that it is stored with.
    pub(super) fn one(account: AccountId, key: String, seen_at: DateTime<Utc>) -> Self {
        Self { account, keys: vec![key], beginnings: Vec::new(), seen_at }
    }

    /// Notes them within a unit of work.
    pub(super) async fn note(&self, tx: &mut Tx) -> anyhow::Result<()> {
        let Self { account, keys, beginnings, seen_at } = self;
        let removed =
            tx.mark_removed(account, keys, beginnings, *seen_at).await.context("cannot note deleted posts")?;
        if removed.is_empty() {
            return Ok(());
        }
        tx.hold_decisions().await?;
        let mut stored = tx.violations_of_posts(&removed).await?;
        // A post that was backdated stays so when it is deleted.
        stored.retain(|stored| stored.violation.kind != ViolationKind::Registry);
        let mut changes = Changes::default();
        changes
            .reconcile(Vec::new(), stored, *seen_at, |_| (ViolationState::Removed, "平台显示该内容已删除".to_owned()));
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot close problems")
    }
}

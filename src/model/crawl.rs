//! One attempt at one source and what came of it (采集).

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};

use super::account::labelled_enum;
use super::coverage::Span;
use super::post::PostDraft;
use super::{AccountId, SourceId};

labelled_enum! {
    /// How a crawl ended. Everything but `listed` and `unchanged` is a failure of the *source*: it says nothing about
    /// the account (design.md §2 rule 1, platforms.md §0.2).
    Outcome {
        Listed = "listed", "正常";
        /// The server said 304: the last listing still stands.
        Unchanged = "unchanged", "无变化";
        /// A well-formed listing without a single post and without a second signal: proves nothing.
        EmptyUnproved = "empty_unproved", "空列表（不能证明未发布）";
        /// An empty list, and the platform's own counter says that there is nothing.
        EmptyConfirmed = "empty_confirmed", "空列表（计数已证实）";
        RateLimited = "rate_limited", "被限流";
        LoginNeeded = "login_needed", "需要登录";
        Captcha = "captcha", "要求验证码";
        NotFound = "not_found", "地址不存在";
        AccountCancelled = "account_cancelled", "账号已注销";
        AccountBanned = "account_banned", "账号被屏蔽";
        AccountMigrated = "account_migrated", "账号已迁移";
        PermissionMissing = "permission_missing", "接口无权限";
        IpNotAllowed = "ip_not_allowed", "本机地址不在白名单";
        SourceClosed = "source_closed", "来源已关闭";
        ShapeChanged = "shape_changed", "返回内容无法识别";
        TooLarge = "too_large", "返回内容过大";
        ServerError = "server_error", "服务器错误";
        Network = "network", "网络不通";
    }
}

impl Outcome {
    pub fn is_success(self) -> bool {
        matches!(self, Self::Listed | Self::Unchanged | Self::EmptyConfirmed)
    }

    /// Whether the platform says that the account itself is gone or hidden.
    pub fn is_about_account(self) -> bool {
        matches!(self, Self::AccountCancelled | Self::AccountBanned | Self::AccountMigrated)
    }
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{outcome}: {detail}")]
pub struct Failure {
    /// Never `Listed` or `Unchanged`.
    pub outcome: Outcome,
    /// One line for the operator: what was seen, and what to do.
    pub detail: String,
    /// The server's `Retry-After`, as an instant.
    pub retry_at: Option<DateTime<Utc>>,
}

impl Failure {
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        debug_assert!(!outcome.is_success());
        Self { outcome, detail: detail.into(), retry_at: None }
    }
}

/// An item of a listing that could not be read; the others are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadItem {
    /// Position in the listing, from 1.
    pub index: usize,
    pub reason: String,
}

/// What one successful look at a source brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the order of the source.
    pub posts: Vec<PostDraft>,
    pub bad_items: Vec<BadItem>,
    /// The listing ended because there was nothing older.
    pub ended: bool,
    /// Keys of posts that the platform says are deleted.
    pub deleted: Vec<String>,
    /// The platform's own count of the account's posts.
    pub total: Option<u64>,
    /// How the platform shows the account.
    pub profile: Option<Profile>,
    pub proof: Proof,
}

/// What a listing proves to have been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// From its oldest item on, as far as it reaches up.
    #[default]
    Items,
    /// Nothing: the interface leaves out posts.
    Nothing,
    /// There has never been a post: an empty list, and a counter that says so.
    NothingEver,
    /// Just this span, whatever the items: the platform reported whole days.
    Span { from: DateTime<Utc>, to: DateTime<Utc> },
}

/// How a platform shows an account: compared with the registry, it tells renamed and unverified accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub name: Option<String>,
    /// Whether the platform shows it as verified (认证); `None`: it does not say.
    pub verified: Option<bool>,
    /// The platform's own id of the account.
    pub platform_id: Option<String>,
}

/// The part of a listing that says how much time it proves. Kept with the source, because a later 304 stands for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Oldest publish time of the items in order; `None`: the listing proves nothing.
    pub oldest_at: Option<DateTime<Utc>>,
    /// Newest publish time: a sign of life of the bridge.
    pub newest_at: Option<DateTime<Utc>>,
    /// The listing reached the account's very first post.
    pub ended: bool,
    /// The listing proves nothing after this instant.
    pub until_at: Option<DateTime<Utc>>,
}

impl Listing {
    /// How far back the listing reaches.
    ///
    /// Invariant: a listing with an unreadable or undated item has no `oldest_at`, because the item may lie anywhere in
    /// time and a count from such a listing may be too low. Items at the head that are older than a later one are
    /// pinned, whether the source says so or not, and do not stretch the listing.
    pub fn extent(&self, listed_at: DateTime<Utc>) -> Extent {
        let dated: Vec<(DateTime<Utc>, bool)> =
            self.posts.iter().filter_map(|post| post.published_at.map(|at| (at, post.pinned))).collect();
        // A publish time in the future is a wrong clock or a wrong zone, not a sign of life.
        let newest_at = dated.iter().map(|(at, _)| *at).filter(|at| *at <= listed_at).max();
        let nothing = Extent { oldest_at: None, newest_at, ended: false, until_at: None };
        match self.proof {
            Proof::Items => {}
            Proof::Nothing => return nothing,
            Proof::NothingEver => return Extent { ended: true, ..nothing },
            Proof::Span { from, to } => return Extent { oldest_at: Some(from), until_at: Some(to), ..nothing },
        }
        let in_doubt = !self.bad_items.is_empty() || dated.len() < self.posts.len();
        if in_doubt || dated.is_empty() {
            return nothing;
        }
        let newest = dated.iter().map(|(at, _)| *at).max();
        // Feeds in ascending order exist: there nothing at the head is pinned.
        let ascending = dated.len() > 1 && dated.is_sorted() && dated.first() < dated.last();
        let in_order = dated
            .iter()
            .skip_while(|(at, _)| !ascending && Some(*at) != newest)
            .filter(|(_, pinned)| !pinned)
            .map(|(at, _)| *at);
        Extent { oldest_at: in_order.min(), ended: self.ended, ..nothing }
    }
}

impl Listing {
    /// Keys of items that stand above newer ones, marked as pinned or not: they may be shown for the first time long after
    /// they were published.
    pub fn pinned_keys(&self) -> HashSet<String> {
        let times: Vec<DateTime<Utc>> = self.posts.iter().filter_map(|post| post.published_at).collect();
        let newest = times.iter().max().copied();
        let ascending = times.len() > 1 && times.is_sorted() && times.first() < times.last();
        let head = self.posts.iter().take_while(|post| !ascending && post.published_at != newest);
        let marked = self.posts.iter().filter(|post| post.pinned);
        head.chain(marked).map(|post| post.key.clone()).collect()
    }
}

/// Cache validators of a server, kept and sent back verbatim (quotes included).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

impl Validators {
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// One attempt at one source, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crawl {
    pub source: SourceId,
    pub account: AccountId,
    /// Host of the source: the bridge whose feeds vouch for each other.
    pub authority: String,
    /// The source is a bridge: its listing reaches to the bridge's last sign of life only.
    pub from_bridge: bool,
    pub listed_at: DateTime<Utc>,
    pub outcome: Outcome,
    pub detail: String,
    pub n_items: usize,
    pub n_bad: usize,
    pub extent: Extent,
    pub validators: Validators,
    /// The platform's own count of the account's posts.
    pub total: Option<u64>,
    pub retry_at: Option<DateTime<Utc>>,
}

/// What the next crawl of a source must know, and how the source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    pub source: SourceId,
    pub validators: Validators,
    pub extent: Extent,
    pub outcome: Outcome,
    pub detail: String,
    pub crawled_at: DateTime<Utc>,
    pub last_success_at: Option<DateTime<Utc>>,
    /// The last listing that held a post.
    pub last_nonempty_at: Option<DateTime<Utc>>,
    /// The platform's own count of the account's posts, as it said last.
    pub total: Option<u64>,
    /// Failures in a row.
    pub failures: u32,
    /// Failures since the last success, by outcome.
    pub failure_counts: BTreeMap<Outcome, u32>,
    pub retry_at: Option<DateTime<Utc>>,
}

impl SourceState {
    /// The state after one more crawl.
    ///
    /// Invariant: only a listing that was read leaves its validators and its extent behind. Were the validators of an
    /// empty success kept, a later 304 to it would read as "nothing changed" and prove time in which nobody looked.
    pub fn after(before: Option<&Self>, crawl: &Crawl) -> Self {
        let success = crawl.outcome.is_success();
        let mut failure_counts = before.map(|before| before.failure_counts.clone()).unwrap_or_default();
        if success {
            failure_counts.clear();
        } else {
            let n_before = failure_counts.entry(crawl.outcome).or_default();
            *n_before = n_before.saturating_add(1);
        }
        let validators = match crawl.outcome {
            Outcome::Listed => crawl.validators.clone(),
            _ => before.map(|before| before.validators.clone()).unwrap_or_default(),
        };
        Self {
            source: crawl.source.clone(),
            validators,
            extent: if success { crawl.extent } else { before.map(|before| before.extent).unwrap_or_default() },
            outcome: crawl.outcome,
            detail: crawl.detail.clone(),
            crawled_at: crawl.listed_at,
            last_success_at: if success {
                Some(crawl.listed_at)
            } else {
                before.and_then(|before| before.last_success_at)
            },
            last_nonempty_at: if crawl.n_items > 0 && success {
                Some(crawl.listed_at)
            } else {
                before.and_then(|before| before.last_nonempty_at)
            },
            total: crawl.total.or(before.and_then(|before| before.total)),
            failure_counts,
            failures: if success { 0 } else { before.map_or(0, |before| before.failures).saturating_add(1) },
            retry_at: crawl.retry_at,
        }
    }
}

/// How far up a listing reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Taken from the platform itself, or from a trusted feed: to the moment of the listing.
    Listing,
    /// From a bridge: to its last sign of life.
    SignOfLife(Option<DateTime<Utc>>),
}

/// The span that a listing proves (design.md §4, "Coverage").
pub fn proved_span(extent: Extent, listed_at: DateTime<Utc>, reach: Reach) -> Option<Span> {
    let to = match reach {
        Reach::Listing => listed_at,
        Reach::SignOfLife(alive_at) => alive_at?.min(listed_at),
    };
    let to = extent.until_at.map_or(to, |until_at| until_at.min(to));
    let from = if extent.ended { None } else { Some(extent.oldest_at?) };
    Span::new(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn post(published: Option<i64>) -> PostDraft {
        PostDraft { key: format!("{published:?}"), published_at: published.map(at), ..PostDraft::default() }
    }

    fn listing(times: &[i64]) -> Listing {
        Listing { posts: times.iter().map(|time| post(Some(*time))).collect(), ..Listing::default() }
    }

    #[test]
    fn a_listing_reaches_back_to_its_oldest_item() {
        let extent = listing(&[90, 70, 80, 50]).extent(at(100));
        assert_eq!((extent.oldest_at, extent.newest_at), (Some(at(50)), Some(at(90))));
    }

    #[test]
    fn an_old_item_on_top_is_pinned_even_if_the_feed_does_not_say_so() {
        assert_eq!(listing(&[5, 7, 90, 80, 60]).extent(at(100)).oldest_at, Some(at(60)));
    }

    #[test]
    fn a_feed_in_ascending_order_reaches_back_to_its_first_item() {
        assert_eq!(listing(&[50, 60, 90]).extent(at(100)).oldest_at, Some(at(50)));
    }

    #[test]
    fn an_item_without_a_time_takes_the_proof_away() {
        let mut with_undated = listing(&[90, 80]);
        with_undated.posts.push(post(None));
        assert_eq!(with_undated.extent(at(100)).oldest_at, None);

        let mut with_bad = listing(&[90, 80]);
        with_bad.bad_items.push(BadItem { index: 3, reason: "no link".to_owned() });
        assert_eq!(with_bad.extent(at(100)).oldest_at, None);
        assert_eq!(with_bad.extent(at(100)).newest_at, Some(at(90)));
    }

    #[test]
    fn a_time_in_the_future_is_no_sign_of_life() {
        assert_eq!(listing(&[500, 90]).extent(at(100)).newest_at, Some(at(90)));
    }

    #[test]
    fn a_bridge_reaches_to_its_last_sign_of_life_and_never_beyond_the_listing() {
        let extent = listing(&[90, 50]).extent(at(100));
        let span = |reach| proved_span(extent, at(100), reach);
        assert_eq!(span(Reach::Listing), Span::new(Some(at(50)), at(100)));
        assert_eq!(span(Reach::SignOfLife(Some(at(95)))), Span::new(Some(at(50)), at(95)));
        assert_eq!(span(Reach::SignOfLife(Some(at(400)))), Span::new(Some(at(50)), at(100)));
        assert_eq!(span(Reach::SignOfLife(Some(at(40)))), None);
        assert_eq!(span(Reach::SignOfLife(None)), None);
    }

    #[test]
    fn a_listing_that_ended_proves_all_the_time_before() {
        let mut all = listing(&[90]);
        all.ended = true;
        assert_eq!(proved_span(all.extent(at(100)), at(100), Reach::Listing), Some(Span { from: None, to: at(100) }));
    }

    #[test]
    fn a_listing_of_whole_days_proves_them_and_an_interface_that_leaves_out_posts_nothing() {
        let days = Listing { proof: Proof::Span { from: at(10), to: at(80) }, ..listing(&[90]) };
        assert_eq!(proved_span(days.extent(at(100)), at(100), Reach::Listing), Span::new(Some(at(10)), at(80)));
        let partial = Listing { proof: Proof::Nothing, ended: true, ..listing(&[90]) };
        assert_eq!(proved_span(partial.extent(at(100)), at(100), Reach::Listing), None);
        let never = Listing { proof: Proof::NothingEver, ..listing(&[]) };
        assert_eq!(proved_span(never.extent(at(100)), at(100), Reach::Listing), Some(Span { from: None, to: at(100) }));
    }

    #[test]
    fn an_empty_listing_proves_nothing() {
        assert_eq!(proved_span(listing(&[]).extent(at(100)), at(100), Reach::Listing), None);
    }
}

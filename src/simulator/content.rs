//! The seeded world: who exists, what each account published, and the truth about both.
//!
//! Pure: the same seed and end give the same world. It knows nothing of HTTP, of addresses or of the files of a
//! configuration. Start at [`World::new`]; what a checker should find is [`World::expected`], what a counter should
//! count is [`World::pushes`].

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Days, FixedOffset, NaiveDate, TimeDelta, TimeZone, Utc};

use super::planting::{self, PlantedError};
use super::registry::{self, Behaviour, Channel, HostName, PlannedAccount, PlannedUnit};
use super::writing;
use crate::model::account::{AccountKind, AccountStatus, Unit};
use crate::model::week::Window;
use crate::model::{AccountId, digest_hex};

/// How many days of posts the world holds before its end.
const HISTORY_DAYS: u64 = 42;
/// A dormant account's last post is this old, so that the fourteen days before the last closed week are empty.
const DORMANT_DAYS: u64 = 22;
/// A dead account's last post is this old.
const DEAD_DAYS: u64 = 100;
/// Days over which a dead account published before it fell silent.
const DEAD_HISTORY_DAYS: u64 = 80;
/// On each host one account publishes this long before the end: the host's sign of life.
const SIGN_OF_LIFE: TimeDelta = TimeDelta::minutes(3);
/// Articles in one push of a WeChat account, at most.
const PUSH_ARTICLES_MAX: u32 = 4;

/// Everything that exists on the simulated platforms.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    end: DateTime<Utc>,
    units: Vec<Unit>,
    accounts: Vec<SimAccount>,
    expected: Vec<PlantedError>,
}

/// One account with everything it published, oldest first.
#[derive(Clone, Debug)]
pub struct SimAccount {
    pub id: AccountId,
    pub name: String,
    pub unit: Unit,
    pub kind: AccountKind,
    /// `gh_…` for WeChat accounts.
    pub platform_id: Option<String>,
    pub status: AccountStatus,
    pub filed_on: Option<NaiveDate>,
    pub behaviour: Behaviour,
    pub channel: Channel,
    /// An exemption is on file.
    pub exempt: bool,
    pub posts: Vec<SimPost>,
}

/// One published item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimPost {
    /// Unique on its platform; the last part of the post's link.
    pub key: String,
    /// Number of the push within the account; articles of one push share it, and the time.
    pub push: u32,
    /// Place within the push, from 1.
    pub index: u32,
    pub published_at: DateTime<Utc>,
    pub title: String,
    pub paragraphs: Vec<String>,
    /// WeChat's form of the article.
    pub shape: Shape,
    pub original: bool,
    /// Words that the page splits with an inline tag.
    pub split_words: Option<String>,
}

/// WeChat's `item_show_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 0 普通图文.
    Article,
    /// 8 图片分享.
    Pictures,
    /// 10 文本分享.
    Text,
}

impl Shape {
    pub fn number(self) -> u8 {
        match self {
            Self::Article => 0,
            Self::Pictures => 8,
            Self::Text => 10,
        }
    }
}

impl World {
    /// The world as it stands at `end`.
    pub fn new(seed: u64, end: DateTime<Utc>) -> Self {
        let planned_units = registry::units();
        let mut alive = HashSet::new();
        let mut accounts = Vec::new();
        for (number, planned) in registry::accounts(&planned_units).into_iter().enumerate() {
            let beats = planned.behaviour == Behaviour::Regular
                && planned.channel.host().is_some_and(|host: HostName| alive.insert(host));
            let mut rng = fastrand::Rng::with_seed(seed.wrapping_add((number as u64 + 1).wrapping_mul(0x9E37_79B9)));
            accounts.push(populate(planned, &planned_units, seed, end, beats, &mut rng));
        }
        let expected = planting::plant(&mut accounts, seed, end);
        let units = planned_units.into_iter().map(|planned| planned.unit).collect();
        Self { seed, end, units, accounts, expected }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The instant at which the world stands still: `now` for everything that looks at it.
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    pub fn accounts(&self) -> &[SimAccount] {
        &self.accounts
    }

    pub fn account(&self, id: &AccountId) -> Option<&SimAccount> {
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// The planted errors, all of them visible through the account's source (or its article pages) and at most two
    /// weeks old.
    pub fn expected(&self) -> &[PlantedError] {
        &self.expected
    }

    /// How many pushes the account really made in the window, seen or not.
    pub fn pushes(&self, id: &AccountId, window: Window) -> usize {
        let posts = self.account(id).map_or(&[][..], |account| account.posts.as_slice());
        let inside = posts.iter().filter(|post| window.contains(post.published_at));
        inside.map(|post| post.push).collect::<BTreeSet<_>>().len()
    }

    /// The world as it stood at an earlier instant: what is published later is not there yet.
    #[must_use]
    pub fn as_of(&self, instant: DateTime<Utc>) -> Self {
        let mut world = Self { end: instant, ..self.clone() };
        for account in &mut world.accounts {
            account.posts.retain(|post| post.published_at <= instant);
        }
        world
    }

    /// An account slips a post in among those that it published before.
    pub fn slip_in(&mut self, id: &AccountId, post: SimPost) {
        if let Some(account) = self.accounts.iter_mut().find(|account| account.id == *id) {
            let place = account.posts.partition_point(|other| other.published_at <= post.published_at);
            account.posts.insert(place, post);
        }
    }

    /// The unit puts the words right; publish the world again for the platforms to show it.
    pub fn rectify(&mut self, error: &PlantedError) {
        let accounts = self.accounts.iter_mut().filter(|account| account.id == error.account);
        for post in accounts.flat_map(|account| &mut account.posts).filter(|post| post.key == error.post_key) {
            for paragraph in &mut post.paragraphs {
                *paragraph = paragraph.replace(&error.wrong, &error.right);
            }
        }
        self.expected.retain(|planted| planted != error);
    }
}

impl SimAccount {
    /// Whether posts of this account are WeChat articles with pages of their own.
    pub fn is_wechat(&self) -> bool {
        self.kind.is_wechat_account()
    }

    /// WeChat's `__biz`, invented from the id.
    pub fn biz(&self) -> String {
        format!("Mz{}==", digest_hex([self.id.as_str()], 12))
    }
}

/// The zone in which the invented offices read the clock.
pub(super) fn beijing() -> FixedOffset {
    #[expect(clippy::expect_used, reason = "eight hours is within a day")]
    FixedOffset::east_opt(8 * 3600).expect("UTC+8 is a valid offset")
}

fn populate(
    planned: PlannedAccount,
    units: &[PlannedUnit],
    seed: u64,
    end: DateTime<Utc>,
    beats: bool,
    rng: &mut fastrand::Rng,
) -> SimAccount {
    let unit = units[planned.unit].unit.clone();
    let wechat = planned.kind.is_wechat_account();
    let mut times = push_times(planned.kind, planned.behaviour, end, rng);
    if beats {
        times.push(end - SIGN_OF_LIFE);
    }
    times.sort_unstable();
    times.dedup();
    let mut posts = Vec::new();
    for (push, published_at) in (0_u32..).zip(times) {
        let n_articles = if wechat { rng.u32(1..=PUSH_ARTICLES_MAX) } else { 1 };
        for index in 1..=n_articles {
            let key_parts = [planned.id.as_str(), &seed.to_string(), &push.to_string(), &index.to_string()];
            let key = digest_hex(key_parts, 22);
            let scene = writing::Scene { unit: &unit, published_at, kind: planned.kind };
            posts.push(writing::write_post(&scene, key, push, index, rng));
        }
    }
    SimAccount {
        platform_id: wechat.then(|| format!("gh_{}", digest_hex([planned.id.as_str(), "gh"], 12))),
        id: planned.id,
        name: planned.name,
        unit,
        kind: planned.kind,
        status: planned.status,
        filed_on: planned.filed_on,
        behaviour: planned.behaviour,
        channel: planned.channel,
        exempt: planned.exempt,
        posts,
    }
}

/// When the account publishes: office hours, at a fixed distance of days, so that every seven days hold as many pushes
/// as the behaviour promises.
fn push_times(
    kind: AccountKind,
    behaviour: Behaviour,
    end: DateTime<Utc>,
    rng: &mut fastrand::Rng,
) -> Vec<DateTime<Utc>> {
    let subscription = kind == AccountKind::WechatSubscription;
    let regular_step = if subscription { rng.u64(1..=2) } else { rng.u64(1..=3) };
    let (newest, oldest, step) = match behaviour {
        Behaviour::Regular => (0, HISTORY_DAYS, regular_step),
        Behaviour::Lazy if subscription => (0, HISTORY_DAYS, 5),
        Behaviour::Lazy => (0, 2 * HISTORY_DAYS, 12),
        Behaviour::Dormant => (DORMANT_DAYS, HISTORY_DAYS, regular_step),
        Behaviour::Dead => (DEAD_DAYS, DEAD_DAYS + DEAD_HISTORY_DAYS, 4),
    };
    let today = end.with_timezone(&beijing()).date_naive();
    let mut times = Vec::new();
    let mut days_back = newest + rng.u64(0..step);
    while days_back <= oldest {
        let (hour, minute, second) = (rng.u32(8..19), rng.u32(0..60), rng.u32(0..60));
        let local = (today - Days::new(days_back)).and_hms_opt(hour, minute, second);
        let instant = local.and_then(|local| beijing().from_local_datetime(&local).single());
        times
            .extend(instant.map(|instant| instant.with_timezone(&Utc)).filter(|instant| *instant < end - SIGN_OF_LIFE));
        days_back += step;
    }
    times
}

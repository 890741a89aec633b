//! The invented prefecture 云岭州: its units, and the plan of its 108 accounts (kind, behaviour, way to be seen).
//!
//! Pure. No unit, county or account here exists; the class sizes are those of a real prefecture's bulletin of 2023.

use chrono::NaiveDate;

use super::interfaces::InterfaceFault;
use crate::model::account::{AccountKind, AccountStatus, Unit, UnitLevel};
use crate::model::interface::Interface;
use crate::model::{AccountId, UnitId};

/// Name of the invented prefecture.
pub const AREA: &str = "云岭州";

/// The office that supervises every account.
pub const OFFICE: &str = "云岭州人民政府政务公开办公室";

/// Invented county names with the short form used in ids.
pub const COUNTIES: [(&str, &str); 8] = [
    ("qinglan", "青岚县"),
    ("shidu", "石渡县"),
    ("baiqu", "白渠县"),
    ("hongliu", "红柳县"),
    ("xingchuan", "杏川县"),
    ("xuelang", "雪浪县"),
    ("luming", "鹿鸣县"),
    ("yunting", "云汀市"),
];

/// Prefecture units: id, name, name of its accounts.
const PREFECTURE_UNITS: [(&str, &str, &str); 26] = [
    ("zfb", "州人民政府办公室", "云岭政务"),
    ("rmt", "州融媒体中心", "云岭发布"),
    ("jyj", "州教育局", "云岭教育"),
    ("gaj", "州公安局", "云岭公安"),
    ("mzj", "州民政局", "云岭民政"),
    ("sfj", "州司法局", "云岭司法"),
    ("czj", "州财政局", "云岭财政"),
    ("rsj", "州人力资源和社会保障局", "云岭人社"),
    ("zrj", "州自然资源局", "云岭自然资源"),
    ("hjj", "州生态环境局", "云岭生态环境"),
    ("zjj", "州住房和城乡建设局", "云岭住建"),
    ("jtj", "州交通运输局", "云岭交通"),
    ("swj", "州水务局", "云岭水务"),
    ("nyj", "州农业农村局", "云岭三农"),
    ("smj", "州商务局", "云岭商务"),
    ("wlj", "州文化和旅游局", "云岭文旅"),
    ("wjw", "州卫生健康委员会", "健康云岭"),
    ("yjj", "州应急管理局", "云岭应急"),
    ("sjj", "州审计局", "云岭审计"),
    ("scj", "州市场监督管理局", "云岭市场监管"),
    ("tjj", "州统计局", "云岭统计"),
    ("ybj", "州医疗保障局", "云岭医保"),
    ("lcj", "州林业和草原局", "云岭林草"),
    ("qxj", "州气象局", "云岭气象"),
    ("xfd", "州消防救援支队", "云岭消防"),
    ("tyj", "州体育局", "云岭体育"),
];

/// Units of each county: id, name, ending of the account name.
const COUNTY_UNITS: [(&str, &str, &str); 3] =
    [("zfb", "人民政府办公室", "政务"), ("rmt", "融媒体中心", "发布"), ("jyj", "教育局", "教育")];

/// A unit with the name under which it publishes.
#[derive(Clone, Debug)]
pub(super) struct PlannedUnit {
    pub unit: Unit,
    pub brand: String,
}

/// All units; the first one supervises the others.
pub(super) fn units() -> Vec<PlannedUnit> {
    let mut planned = Vec::new();
    let mut add = |id: String, name: String, level, region: &str, supervisor: Option<&str>, brand: String| {
        let unit = Unit {
            id: UnitId::new(id),
            name,
            level,
            region: region.to_owned(),
            supervisor: supervisor.map(UnitId::new),
        };
        planned.push(PlannedUnit { unit, brand });
    };
    for (id, name, brand) in PREFECTURE_UNITS {
        let supervisor = (id != "zfb").then_some("yl-zfb");
        add(format!("yl-{id}"), name.to_owned(), UnitLevel::Prefecture, AREA, supervisor, brand.to_owned());
    }
    for (county_id, county) in COUNTIES {
        for (id, name, ending) in COUNTY_UNITS {
            let brand = format!("{}{ending}", county.trim_end_matches(['县', '市']));
            let own_office = format!("{county_id}-zfb");
            let supervisor = if id == "zfb" { "yl-zfb" } else { own_office.as_str() };
            let level = UnitLevel::County;
            add(format!("{county_id}-{id}"), format!("{county}{name}"), level, county, Some(supervisor), brand);
        }
    }
    let township = |name: &str| format!("青岚县{name}人民政府");
    let level = UnitLevel::Township;
    add("qinglan-hgz".into(), township("河谷镇"), level, "青岚县", Some("qinglan-zfb"), "河谷之声".into());
    add("qinglan-sqx".into(), township("松坪乡"), level, "青岚县", Some("qinglan-zfb"), "松坪乡情".into());
    planned
}

/// How an account keeps its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Publishes at least as often as its strictest rule demands, in every seven days.
    Regular,
    /// Too seldom: one or two pushes a week where three are due, none in most weeks where one is due.
    Lazy,
    /// Nothing for three weeks, so that two weeks before the last closed week are empty.
    Dormant,
    /// Nothing for more than three months.
    Dead,
}

/// Form in which a bridge writes a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedStyle {
    /// RSS 2.0: guid that is no link, GMT dates, `lastBuildDate` of the rendering.
    RssHub,
    Atom,
    /// JSON Feed 1.0 with `date_modified` only.
    JsonFeed10,
    JsonFeed11,
    /// RSS 2.0 with dates that name no zone.
    WeMpRss,
    /// RSS 2.0 without guid; the text repeats the title.
    WechatFeeds,
}

/// What goes wrong at a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A valid feed without items.
    EmptySuccess,
    /// 200 with an HTML error page.
    HtmlErrorPage,
    /// 503 with an HTML page.
    Unavailable,
    /// 200 whose `Content-Length` is larger than what arrives.
    Truncated,
    /// 404 with a JSON body.
    NotFound,
    /// 429 with `Retry-After` for the first requests.
    RateLimited {
        /// How many requests are refused before the first answer; `u32::MAX` = all.
        first: u32,
        retry_after_s: u32,
    },
}

/// The way in which the account can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A well-kept bridge with validators.
    Bridge(FeedStyle),
    /// Another bridge, on its own host.
    SecondBridge(FeedStyle),
    /// A bridge that answers 200 with content that stopped nine days ago.
    StaleBridge,
    /// A bridge that answers 429 first.
    LimitedBridge,
    /// A bridge where this fault stands.
    FaultyBridge(Fault),
    /// A feed on the unit's own site.
    SiteFeed,
    /// A list page of the unit's own site.
    SiteList,
    /// The platform's own interface, with what is wrong with it.
    Interface(Interface, Option<InterfaceFault>),
    /// The platform's own interface, which fails, and then a well-kept bridge.
    Failover(Interface, InterfaceFault),
    /// No source is registered.
    Unseen,
}

/// The simulated hosts; each has its own port, which makes it a host of its own for pacing and signs of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostName {
    Bridge,
    SecondBridge,
    StaleBridge,
    LimitedBridge,
    FaultyBridge,
    /// Article pages, as WeChat serves them.
    Articles,
    /// Web sites of the units.
    Site,
}

impl HostName {
    /// Every host, in the order in which fixed ports are counted up.
    pub const ALL: [Self; 7] = [
        Self::Bridge,
        Self::SecondBridge,
        Self::StaleBridge,
        Self::LimitedBridge,
        Self::FaultyBridge,
        Self::Articles,
        Self::Site,
    ];
}

impl Channel {
    /// The host that serves the account's source; `None` where no source is registered.
    pub fn host(self) -> Option<HostName> {
        match self {
            Self::Bridge(_) | Self::Failover(..) => Some(HostName::Bridge),
            Self::SecondBridge(_) => Some(HostName::SecondBridge),
            Self::StaleBridge => Some(HostName::StaleBridge),
            Self::LimitedBridge => Some(HostName::LimitedBridge),
            Self::FaultyBridge(_) => Some(HostName::FaultyBridge),
            Self::SiteFeed | Self::SiteList => Some(HostName::Site),
            Self::Interface(..) | Self::Unseen => None,
        }
    }

    /// The interface that is asked first, and what is wrong with it.
    pub fn interface(self) -> Option<(Interface, Option<InterfaceFault>)> {
        match self {
            Self::Interface(interface, fault) => Some((interface, fault)),
            Self::Failover(interface, fault) => Some((interface, Some(fault))),
            _ => None,
        }
    }

    /// Whether a crawl sees the newest posts with their whole text, if need be through the article page.
    pub fn shows_text(self) -> bool {
        matches!(self, Self::Bridge(_) | Self::SecondBridge(_) | Self::SiteFeed)
    }
}

/// One account before its posts are written.
#[derive(Clone, Debug)]
pub(super) struct PlannedAccount {
    pub id: AccountId,
    pub name: String,
    pub unit: usize,
    pub kind: AccountKind,
    pub status: AccountStatus,
    pub filed_on: Option<NaiveDate>,
    pub behaviour: Behaviour,
    pub channel: Channel,
    pub exempt: bool,
}

/// Classes of accounts: kind, how many, first unit, ending of the id.
const CLASSES: [(AccountKind, usize, usize, &str); 9] = [
    (AccountKind::WechatSubscription, 52, 0, "wx"),
    (AccountKind::Toutiao, 12, 0, "tt"),
    (AccountKind::Douyin, 15, 1, "dy"),
    (AccountKind::Weibo, 16, 3, "wb"),
    (AccountKind::Kuaishou, 3, 26, "ks"),
    (AccountKind::Baijiahao, 1, 51, "bj"),
    (AccountKind::People, 2, 0, "rm"),
    (AccountKind::App, 5, 27, "app"),
    (AccountKind::Other, 2, 15, "qt"),
];

/// Number of the account, within the subscription accounts, that is the second one of its unit.
const SECOND_ACCOUNT: usize = 51;

/// All accounts in the order of the registry.
pub(super) fn accounts(units: &[PlannedUnit]) -> Vec<PlannedAccount> {
    let mut planned = Vec::new();
    for (kind, count, first_unit, ending) in CLASSES {
        for number in 0..count {
            let second = kind == AccountKind::WechatSubscription && number == SECOND_ACCOUNT;
            let unit = if second { 13 } else { (first_unit + number) % units.len() };
            let (behaviour, channel) = plan(kind, number);
            let holder = &units[unit];
            let mark = if second { "2" } else { "" };
            planned.push(PlannedAccount {
                id: AccountId::new(format!("{}-{ending}{mark}", holder.unit.id)),
                name: if second { format!("{}服务之窗", holder.brand) } else { holder.brand.clone() },
                unit,
                kind,
                status: if is(kind, number, &[11]) { AccountStatus::Deregistered } else { AccountStatus::Active },
                filed_on: filed_on(kind, number),
                behaviour,
                channel,
                exempt: is(kind, number, &[5]),
            });
        }
    }
    planned
}

fn is(kind: AccountKind, number: usize, numbers: &[usize]) -> bool {
    kind == AccountKind::WechatSubscription && numbers.contains(&number)
}

/// Two subscription accounts were never filed.
fn filed_on(kind: AccountKind, number: usize) -> Option<NaiveDate> {
    let month = u32::try_from(number % 12).unwrap_or(0) + 1;
    if is(kind, number, &[14, 15]) { None } else { NaiveDate::from_ymd_opt(2021, month, 8) }
}

fn plan(kind: AccountKind, number: usize) -> (Behaviour, Channel) {
    use Behaviour::{Dead, Dormant, Lazy, Regular};
    use Channel::{Bridge, LimitedBridge, SecondBridge, SiteFeed, SiteList, StaleBridge, Unseen};
    use FeedStyle::{Atom, JsonFeed11, RssHub};
    match (kind, number) {
        (AccountKind::WechatSubscription, _) => plan_subscription(number),
        (AccountKind::Toutiao, 0) => (Regular, SiteFeed),
        (AccountKind::Toutiao, 2) | (AccountKind::Weibo, 5) => (Lazy, SecondBridge(Atom)),
        (AccountKind::Douyin, 0) => (Lazy, Bridge(RssHub)),
        (AccountKind::Toutiao, 1) | (AccountKind::Douyin, 1 | 2) => (Dormant, Bridge(RssHub)),
        (AccountKind::Douyin | AccountKind::Weibo, 3) => (Regular, LimitedBridge),
        (AccountKind::Douyin, 4) => (Regular, Channel::FaultyBridge(Fault::Unavailable)),
        (AccountKind::Weibo, 0) => (Dead, Bridge(RssHub)),
        (AccountKind::Weibo, 1) => (Regular, Channel::FaultyBridge(Fault::EmptySuccess)),
        (AccountKind::Weibo, 2) => (Regular, StaleBridge),
        (AccountKind::Weibo, 10 | 11) => (Regular, Channel::Interface(Interface::WeiboAjax, None)),
        (AccountKind::Weibo, 12) => {
            (Regular, Channel::Interface(Interface::WeiboAjax, Some(InterfaceFault::LoginExpired)))
        }
        (AccountKind::Weibo, 13) => (Regular, Channel::Failover(Interface::WeiboMobile, InterfaceFault::RateLimited)),
        (AccountKind::Douyin, 5 | 6) => (Regular, Channel::Interface(Interface::DouyinCreator, None)),
        (AccountKind::Douyin, 7) => {
            (Regular, Channel::Interface(Interface::DouyinCreator, Some(InterfaceFault::NullList)))
        }
        (AccountKind::Toutiao, 3 | 4) => (Regular, Channel::Interface(Interface::ToutiaoBackend, None)),
        (AccountKind::Baijiahao, 0) => (Regular, Channel::Interface(Interface::BaijiahaoBackend, None)),
        (AccountKind::Kuaishou, 0) => (Regular, Channel::Interface(Interface::KuaishouOfficial, None)),
        (AccountKind::Weibo, 6..=9) => (Regular, SecondBridge(JsonFeed11)),
        (AccountKind::People, _) | (AccountKind::Kuaishou, 2) => (Regular, Unseen),
        (AccountKind::App | AccountKind::Other, 0) => (Lazy, SiteList),
        (AccountKind::App | AccountKind::Other, _) => (Regular, SiteList),
        _ => (Regular, Bridge(RssHub)),
    }
}

fn plan_subscription(number: usize) -> (Behaviour, Channel) {
    use Behaviour::{Dead, Dormant, Lazy, Regular};
    use Channel::{Bridge, FaultyBridge, LimitedBridge, SecondBridge, StaleBridge, Unseen};
    match number {
        0..=5 => (Lazy, Bridge(FeedStyle::RssHub)),
        6..=8 => (Dormant, Bridge(FeedStyle::RssHub)),
        9..=10 => (Dead, Bridge(FeedStyle::RssHub)),
        16 => (Lazy, StaleBridge),
        17..=19 => (Regular, StaleBridge),
        20..=21 => (Regular, LimitedBridge),
        22 => (Lazy, LimitedBridge),
        23 => (Regular, FaultyBridge(Fault::EmptySuccess)),
        24 => (Regular, FaultyBridge(Fault::HtmlErrorPage)),
        25 => (Regular, FaultyBridge(Fault::Unavailable)),
        26 => (Regular, FaultyBridge(Fault::Truncated)),
        27 => (Regular, FaultyBridge(Fault::NotFound)),
        28..=30 => (Regular, Unseen),
        31 => (Lazy, SecondBridge(FeedStyle::JsonFeed10)),
        32..=34 => (Regular, SecondBridge(FeedStyle::JsonFeed10)),
        35..=36 => (Regular, SecondBridge(FeedStyle::JsonFeed11)),
        37..=38 => (Regular, SecondBridge(FeedStyle::Atom)),
        39..=41 => (Regular, Bridge(FeedStyle::WechatFeeds)),
        42..=44 => (Regular, Bridge(FeedStyle::WeMpRss)),
        45 | 46 => (Regular, Channel::Interface(Interface::WechatBackend, None)),
        47 => (Regular, Channel::Failover(Interface::WechatBackend, InterfaceFault::LoginExpired)),
        _ => (Regular, Bridge(FeedStyle::RssHub)),
    }
}

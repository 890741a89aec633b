//! Who is watched: units, their accounts and the sources through which an account can be seen.

use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use url::Url;

use super::interface::{Grade, InterfaceSpec};
use super::{AccountId, SourceId, UnitId, digest_hex};

/// Declares an enum whose variants have one configuration word and one Chinese label each.
macro_rules! labelled_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in display order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word used in configuration, database and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The word people read.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// Reads the configuration word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> Self {
                value.as_str()
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(word: String) -> Result<Self, String> {
                Self::parse(&word).ok_or_else(|| {
                    let words: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("unknown value `{word}`, expected one of: {}", words.join(", "))
                })
            }
        }
    };
}
pub(crate) use labelled_enum;

labelled_enum! {
    /// Account type (账号类型).
    AccountKind {
        WechatSubscription = "wechat_subscription", "微信订阅号";
        WechatService = "wechat_service", "微信服务号";
        WechatChannels = "wechat_channels", "微信视频号";
        Weibo = "weibo", "新浪微博";
        Douyin = "douyin", "抖音";
        Kuaishou = "kuaishou", "快手";
        Toutiao = "toutiao", "今日头条";
        Baijiahao = "baijiahao", "百家号";
        People = "people", "人民号";
        Bilibili = "bilibili", "哔哩哔哩";
        Xiaohongshu = "xiaohongshu", "小红书";
        App = "app", "移动客户端";
        Website = "website", "网站";
        Other = "other", "其他";
    }
}

impl AccountKind {
    /// Whether it publishes articles by WeChat pushes (群发); channels publish videos.
    pub fn is_wechat_account(self) -> bool {
        matches!(self, Self::WechatSubscription | Self::WechatService)
    }
}

labelled_enum! {
    /// Life of an account's filing (备案状态). Only `active` accounts are judged by frequency rules.
    AccountStatus {
        Pending = "pending", "备案中";
        Active = "active", "正常";
        Suspended = "suspended", "暂停";
        Closing = "closing", "注销中";
        Deregistered = "deregistered", "已注销";
    }
}

labelled_enum! {
    /// Administrative level of a unit (单位层级).
    UnitLevel {
        Prefecture = "prefecture", "州级";
        County = "county", "县市";
        Township = "township", "乡镇";
    }
}

/// Who runs accounts (主办单位).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    pub id: UnitId,
    pub name: String,
    pub level: UnitLevel,
    pub region: String,
    /// The unit that supervises this one (主管单位).
    pub supervisor: Option<UnitId>,
}

/// One registered identity on one platform (账号).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub unit: UnitId,
    pub kind: AccountKind,
    /// The platform's own id, for example a WeChat `gh_…`.
    pub platform_id: Option<String>,
    pub status: AccountStatus,
    /// Day of filing (备案日期).
    pub filed_on: Option<NaiveDate>,
    /// Ways to see this account, in order of preference.
    pub sources: Vec<Source>,
}

/// One configured way to see an account's posts (采集来源).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub id: SourceId,
    pub url: Url,
    pub spec: SourceSpec,
}

impl Source {
    pub fn new(account: &AccountId, url: Url, spec: SourceSpec) -> Self {
        // Through an interface many accounts have one address: what tells them apart stands in the values.
        let values = match &spec {
            SourceSpec::Interface(spec) => spec.values.values().map(String::as_str).collect(),
            SourceSpec::Feed { .. } | SourceSpec::HtmlList(_) => Vec::new(),
        };
        let digest = digest_hex([url.as_str()].into_iter().chain(values), 8);
        let id = SourceId::new(format!("{account}/{}-{digest}", spec.kind()));
        Self { id, url, spec }
    }

    /// What it looks at, in one line: the address, and through an interface the values that name the account.
    pub fn target(&self) -> String {
        let SourceSpec::Interface(spec) = &self.spec else { return self.url.to_string() };
        let mut parts = vec![spec.interface.to_string(), self.url.to_string()];
        parts.extend(spec.values.iter().map(|(name, value)| format!("{name}={value}")));
        // Through an own back office the credential is the account.
        if spec.values.is_empty() {
            parts.extend(spec.credential.iter().map(|name| format!("credential={name}")));
        }
        parts.join(" ")
    }

    /// Host and port as they stand in the address: the bridge whose feeds vouch for each other.
    pub fn authority(&self) -> String {
        authority_of(&self.url)
    }
}

/// `host` or `host:port` of an address, the key of pacing and of a bridge's signs of life.
pub fn authority_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// What kind of source it is, with the settings of that kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceSpec {
    /// RSS 2.0, Atom or JSON Feed.
    Feed {
        freshness: Freshness,
        /// Which bridge serves it, where that is known: its error pages and probes are understood.
        bridge: Option<Bridge>,
    },
    /// A list page read by CSS selectors.
    HtmlList(Box<HtmlListSpec>),
    /// A platform's own interface.
    Interface(Box<InterfaceSpec>),
}

impl SourceSpec {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Feed { .. } => "feed",
            Self::HtmlList(_) => "html_list",
            Self::Interface(spec) => spec.interface.as_str(),
        }
    }

    /// What a listing of it proves.
    pub fn grade(&self) -> Grade {
        match self {
            Self::Feed { .. } | Self::HtmlList(_) => Grade::Complete,
            Self::Interface(spec) => spec.interface.grade(),
        }
    }

    /// Name of the credential it is asked with.
    pub fn credential(&self) -> Option<&str> {
        match self {
            Self::Feed { .. } | Self::HtmlList(_) => None,
            Self::Interface(spec) => spec.credential.as_deref(),
        }
    }

    /// Whether it is a bridge, which may answer with yesterday's cache.
    pub fn is_bridge(&self) -> bool {
        matches!(self, Self::Feed { freshness: Freshness::Bridge, .. })
    }
}

labelled_enum! {
    /// A program that turns a platform into feeds (采集桥).
    Bridge {
        Rsshub = "rsshub", "RSSHub";
        WeweRss = "wewe_rss", "wewe-rss";
        WeMpRss = "we_mp_rss", "we-mp-rss";
        Wechat2Rss = "wechat2rss", "Wechat2RSS";
    }
}

labelled_enum! {
    /// How far up a feed's listing reaches (design.md §4).
    Freshness {
        /// A bridge may answer with yesterday's cache: it reaches to its last sign of life only.
        Bridge = "bridge", "桥接";
        /// The publisher's own server: it reaches to the moment of the crawl.
        Trusted = "trusted", "直连";
    }
}

/// How to read a list page (all selectors are CSS).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HtmlListSpec {
    /// Selects one element for each post.
    pub item: String,
    /// Within an item: the element whose `href` leads to the post. Empty selector = the item itself.
    pub link: String,
    /// Within an item: the element whose `title` attribute or text is the title; default: the link.
    pub title: Option<String>,
    /// Within an item: the element whose text is the publish date.
    pub date: String,
    /// chrono format of the date, for example `%Y-%m-%d`; without it, the usual forms are tried.
    pub date_format: Option<String>,
    /// On the page: the link to the next (older) page.
    pub next: Option<String>,
    /// Most pages read in one crawl.
    pub pages_max: u32,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in AccountKind::ALL {
            assert_eq!(AccountKind::parse(kind.as_str()), Some(*kind));
        }
        assert!(AccountKind::try_from("wechat".to_owned()).unwrap_err().contains("wechat_subscription"));
    }

    #[test]
    fn a_source_id_depends_on_account_kind_and_address_only() {
        let account = AccountId::new("gn-jyj-wx");
        let url: Url = "http://127.0.0.1:8001/a.xml".parse().unwrap();
        let bridge =
            Source::new(&account, url.clone(), SourceSpec::Feed { freshness: Freshness::Bridge, bridge: None });
        let trusted = Source::new(&account, url, SourceSpec::Feed { freshness: Freshness::Trusted, bridge: None });
        assert_eq!(bridge.id, trusted.id);
        assert!(bridge.id.as_str().starts_with("gn-jyj-wx/feed-"));
        assert_eq!(bridge.authority(), "127.0.0.1:8001");
    }
}

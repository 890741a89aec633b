//! The platforms' own interfaces, simulated: seeded accounts behind endpoints that speak the recorded protocol, with a
//! switch for every way in which the real ones fail (platforms.md §0.2, §1 to §9).
//!
//! Pure: a request in, an answer out. [`server`] puts it on loopback, and adds the failures of the wire itself.
//! One file for each platform, each with one function that answers its endpoints.

pub mod app_page;
pub mod baijiahao;
pub mod bilibili;
pub mod channels;
pub mod douyin;
pub mod kuaishou;
pub mod seed;
pub mod server;
pub mod toutiao;
pub mod wechat;
pub mod weibo;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::model::interface::Interface;

/// One account as a platform shows it to whoever may see it.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// The platform's id of the account: uid, biz, mid …
    pub id: String,
    pub name: String,
    pub verified: bool,
    /// What a login must bring: the value of the cookie or of the access token; empty: nobody is asked.
    pub secret: String,
    /// Oldest first.
    pub items: Vec<SeededItem>,
}

/// One published item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeededItem {
    /// The platform's own id; for platforms whose ids tell the time, one that tells `published_at`.
    pub id: String,
    pub title: String,
    pub text: String,
    pub published_at: DateTime<Utc>,
    pub edited_at: Option<DateTime<Utc>>,
    /// Shown first, out of order.
    pub pinned: bool,
    /// Deleted: shown as such where the platform shows it, else not at all.
    pub deleted: bool,
    pub repost: bool,
}

/// What an interface does instead of answering well. Those of the wire are done by [`server`] for every platform; the
/// others by the platform, each in its own words; a platform that does not know a fault answers 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InterfaceFault {
    // The wire.
    /// 200 and no byte.
    EmptyBody,
    /// The bytes drip so slowly that the time limit passes.
    SlowDrip,
    /// `content-encoding: gzip`, cut off.
    TruncatedGzip,
    /// 302 to itself.
    RedirectLoop,
    /// A page of 5 MB that is no data.
    HugePage,
    /// 503.
    Unavailable,
    /// JSON cut off in the middle.
    TruncatedJson,
    /// 200 with a web page that asks for a captcha.
    CaptchaPage,
    // The platform's own words.
    /// 432, 418 or the code for "asked too often".
    RateLimited,
    /// The cookie or token is no longer good.
    LoginExpired,
    /// Success and an empty list, although the account has posts.
    EmptySuccess,
    /// The list is `null` or missing in an answer that claims success.
    NullList,
    /// The interface is closed, or the permission is missing.
    PermissionMissing,
    /// This machine's address is not on the platform's list.
    IpNotAllowed,
    AccountCancelled,
    AccountBanned,
    /// The list never ends: the same page again and again.
    EndlessPages,
    /// One item among good ones is damaged.
    BadItem,
}

impl InterfaceFault {
    pub const ALL: [Self; 18] = [
        Self::EmptyBody,
        Self::SlowDrip,
        Self::TruncatedGzip,
        Self::RedirectLoop,
        Self::HugePage,
        Self::Unavailable,
        Self::TruncatedJson,
        Self::CaptchaPage,
        Self::RateLimited,
        Self::LoginExpired,
        Self::EmptySuccess,
        Self::NullList,
        Self::PermissionMissing,
        Self::IpNotAllowed,
        Self::AccountCancelled,
        Self::AccountBanned,
        Self::EndlessPages,
        Self::BadItem,
    ];
}

/// A request, as far as platforms look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimRequest {
    pub is_post: bool,
    /// Without query.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The JSON body of a POST, else `Null`.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl SimRequest {
    /// The value of a query name; empty where it is not given.
    pub fn query(&self, name: &str) -> &str {
        value_of(&self.query, name)
    }

    pub fn header(&self, name: &str) -> &str {
        value_of(&self.headers, name)
    }

    /// Whether the cookie carries this account's login.
    pub fn is_logged_in(&self, account: &Seeded) -> bool {
        account.secret.is_empty() || self.header("cookie").contains(&account.secret)
    }
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str())
}

/// An answer before it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl SimAnswer {
    pub fn json(value: &Value) -> Self {
        Self::with_status(200, value)
    }

    pub fn with_status(status: u16, value: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body: value.to_string().into_bytes() }
    }

    pub fn html(status: u16, page: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
        Self { status, headers, body: page.as_bytes().to_vec() }
    }

    pub fn redirect(to: &str) -> Self {
        Self { status: 302, headers: vec![("location".to_owned(), to.to_owned())], body: Vec::new() }
    }

    /// What is answered at a path that the platform does not have.
    pub fn not_found() -> Self {
        Self::html(404, "<!doctype html><title>404</title>")
    }

    /// What is answered to a fault that the platform does not know.
    pub fn unknown_fault() -> Self {
        Self::html(500, "<!doctype html><title>fault not simulated</title>")
    }
}

/// Answers the endpoints of one platform.
pub type Respond = fn(&Seeded, &SimRequest, Option<InterfaceFault>, DateTime<Utc>) -> SimAnswer;

/// Who answers for an interface.
pub fn respond_of(interface: Interface) -> Respond {
    match interface {
        Interface::WechatOfficial | Interface::WechatBackend | Interface::WechatAlbum => wechat::respond,
        Interface::WeiboOfficial | Interface::WeiboAjax | Interface::WeiboMobile => weibo::respond,
        Interface::DouyinCreator => douyin::respond,
        Interface::BaijiahaoBackend => baijiahao::respond,
        Interface::ChannelsBackend => channels::respond,
        Interface::BilibiliSpace | Interface::BilibiliOfficial => bilibili::respond,
        Interface::AppPage => app_page::respond,
        Interface::KuaishouOfficial => kuaishou::respond,
        Interface::ToutiaoBackend => toutiao::respond,
    }
}

//! Feeds as the bridges write them, with their honest quirks (platforms.md §1.6, §10). Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::content::{SimAccount, SimPost, beijing};
use super::registry::{FeedStyle, HostName};

/// Items that a bridge lists.
pub const FEED_ITEMS_MAX: usize = 25;

/// Where the hosts can be reached: `http://127.0.0.1:PORT`, no slash at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(pub(super) BTreeMap<HostName, String>);

impl Addresses {
    /// The beginning of every address on the host.
    pub fn base(&self, host: HostName) -> &str {
        self.0.get(&host).map_or("", String::as_str)
    }

    /// `host:port` of the host.
    pub fn authority(&self, host: HostName) -> &str {
        self.base(host).trim_start_matches("http://")
    }

    /// The address of a post: an article page for WeChat accounts, else a page of the site.
    pub fn post_link(&self, account: &SimAccount, post: &SimPost) -> String {
        if account.is_wechat() {
            format!("{}/s/{}", self.base(HostName::Articles), post.key)
        } else {
            format!("{}/p/{}.html", self.base(HostName::Site), post.key)
        }
    }
}

/// The content type that goes with a style.
pub fn content_type(style: FeedStyle) -> &'static str {
    match style {
        FeedStyle::Atom => "application/atom+xml; charset=utf-8",
        FeedStyle::JsonFeed10 | FeedStyle::JsonFeed11 => "application/json; charset=utf-8",
        FeedStyle::RssHub | FeedStyle::WeMpRss | FeedStyle::WechatFeeds => "application/xml; charset=utf-8",
    }
}

/// Last part of the feed's path.
pub fn file_ending(style: FeedStyle) -> &'static str {
    match style {
        FeedStyle::Atom => "atom",
        FeedStyle::JsonFeed10 | FeedStyle::JsonFeed11 => "json",
        FeedStyle::RssHub | FeedStyle::WeMpRss | FeedStyle::WechatFeeds => "xml",
    }
}

/// A feed of the given posts (oldest first), newest item first, rendered at `now`.
pub fn feed(
    style: FeedStyle,
    account: &SimAccount,
    posts: &[SimPost],
    addresses: &Addresses,
    now: DateTime<Utc>,
) -> String {
    let newest_first: Vec<&SimPost> = posts.iter().rev().take(FEED_ITEMS_MAX).collect();
    let feed = Feed { account, posts: newest_first, addresses, now };
    match style {
        FeedStyle::RssHub => feed.rsshub(),
        FeedStyle::WeMpRss => feed.we_mp_rss(),
        FeedStyle::WechatFeeds => feed.wechat_feeds(),
        FeedStyle::Atom => feed.atom(),
        FeedStyle::JsonFeed10 => feed.json_1_0(),
        FeedStyle::JsonFeed11 => feed.json_1_1(),
    }
}

/// The post's text as HTML.
pub fn post_html(post: &SimPost) -> String {
    let mut html = String::new();
    for paragraph in &post.paragraphs {
        let mut text = escape(paragraph);
        if let Some(words) = &post.split_words {
            text = text.replace(words.as_str(), &split_by_tag(words));
        }
        let _ = write!(html, "<p style=\"text-indent: 2em;\">{text}</p>");
    }
    html
}

/// Escapes text for XML and HTML, attributes included.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn split_by_tag(words: &str) -> String {
    let mut characters = words.chars();
    let first: String = characters.by_ref().take(1).collect();
    format!("{first}<strong>{}</strong>", characters.as_str())
}

struct Feed<'a> {
    account: &'a SimAccount,
    posts: Vec<&'a SimPost>,
    addresses: &'a Addresses,
    now: DateTime<Utc>,
}

impl Feed<'_> {
    fn link(&self, post: &SimPost) -> String {
        escape(&self.addresses.post_link(self.account, post))
    }

    fn home(&self) -> String {
        format!("{}/u/{}", self.addresses.base(HostName::Site), self.account.id)
    }

    fn rsshub(&self) -> String {
        let name = escape(&self.account.name);
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss xmlns:atom=\"http://www.w3.org/2005/Atom\" version=\"2.0\">\n\
             <channel>\n<title>{name}</title>\n<link>{home}</link>\n\
             <description>{name} - Powered by RSSHub</description>\n<generator>RSSHub</generator>\n\
             <language>zh-cn</language>\n<lastBuildDate>{built}</lastBuildDate>\n<ttl>5</ttl>\n",
            home = self.home(),
            built = gmt(self.now),
        );
        for post in &self.posts {
            let _ = write!(
                xml,
                "<item>\n<title>{}</title>\n<description>{}</description>\n<link>{}</link>\n\
                 <guid isPermaLink=\"false\">{}</guid>\n<pubDate>{}</pubDate>\n<author>{name}</author>\n</item>\n",
                escape(&post.title),
                escape(&post_html(post)),
                self.link(post),
                post.key,
                gmt(post.published_at),
            );
        }
        xml + "</channel>\n</rss>\n"
    }

    fn we_mp_rss(&self) -> String {
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\n<channel>\n\
             <title>{name}</title>\n<link>{home}</link>\n<description>{name}</description>\n\
             <generator>Mp-We-Rss</generator>\n<lastBuildDate>{built}</lastBuildDate>\n",
            name = escape(&self.account.name),
            home = self.home(),
            built = zoneless(self.now),
        );
        for post in &self.posts {
            let digest: String = post.paragraphs.concat().chars().take(40).collect();
            let link = self.link(post);
            let _ = write!(
                xml,
                "<item>\n<id>{}</id>\n<title>{}</title>\n<description>{}</description>\n<guid>{link}</guid>\n\
                 <link>{link}</link>\n<pubDate>{}</pubDate>\n<content:encoded><![CDATA[{}]]></content:encoded>\n</item>\n",
                post.key,
                escape(&post.title),
                escape(&digest),
                zoneless(post.published_at),
                post_html(post),
            );
        }
        xml + "</channel>\n</rss>\n"
    }

    fn wechat_feeds(&self) -> String {
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\n<channel>\n\
             <title>{}</title>\n<link>{}</link>\n<description></description>\n",
            escape(&self.account.name),
            self.home(),
        );
        for post in &self.posts {
            let title = escape(&post.title);
            let _ = write!(
                xml,
                "<item>\n<title>{title}</title>\n<link>{}</link>\n<description></description>\n\
                 <content:encoded>{title}</content:encoded>\n<pubDate>{}</pubDate>\n</item>\n",
                self.link(post),
                post.published_at.with_timezone(&beijing()).format("%a, %d %b %Y %H:%M:%S %z"),
            );
        }
        xml + "</channel>\n</rss>\n"
    }

    fn atom(&self) -> String {
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
             <id>{home}</id>\n<title>{}</title>\n<link href=\"{home}\"/>\n<updated>{}</updated>\n",
            escape(&self.account.name),
            rfc3339(self.now),
            home = self.home(),
        );
        for post in &self.posts {
            let published = rfc3339(post.published_at);
            let _ = write!(
                xml,
                "<entry>\n<id>urn:post:{}</id>\n<title>{}</title>\n<link href=\"{}\"/>\n<published>{published}</published>\n\
                 <updated>{published}</updated>\n<content type=\"html\">{}</content>\n</entry>\n",
                post.key,
                escape(&post.title),
                self.link(post),
                escape(&post_html(post)),
            );
        }
        xml + "</feed>\n"
    }

    fn json_1_0(&self) -> String {
        let item = |post: &&SimPost| {
            json!({
                "id": post.key,
                "url": self.addresses.post_link(self.account, post),
                "title": post.title,
                "content_html": post_html(post),
                "date_modified": rfc3339(post.published_at),
            })
        };
        json!({
            "version": "https://jsonfeed.org/version/1",
            "title": self.account.name,
            "home_page_url": self.home(),
            "items": self.posts.iter().map(item).collect::<Vec<_>>(),
        })
        .to_string()
    }

    fn json_1_1(&self) -> String {
        let item = |post: &&SimPost| {
            json!({
                "id": post.key,
                "url": self.addresses.post_link(self.account, post),
                "title": post.title,
                "content_html": post_html(post),
                "date_published": post.published_at.with_timezone(&beijing()).to_rfc3339(),
                "authors": [{"name": self.account.name}],
            })
        };
        json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.account.name,
            "home_page_url": self.home(),
            "language": "zh-CN",
            "items": self.posts.iter().map(item).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

fn gmt(instant: DateTime<Utc>) -> String {
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// we-mp-rss leaves the zone empty; the blank before it stays.
fn zoneless(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&beijing()).format("%a, %d %b %Y %H:%M:%S ").to_string()
}

fn rfc3339(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

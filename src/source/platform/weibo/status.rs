//! One status in any of the three shapes. Pure.
//!
//! The body is the account's own words. Of a repost that is what stands before the first `//@`: what follows are the
//! words of those who reposted before, and what is quoted below is somebody else's status.

use std::collections::HashSet;

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use url::Url;

use super::{Account, account, mid_of_bid, public_url, time_of_mid};
use crate::model::post::{PostDraft, TextState};
use crate::source::dates::{self, Stamp};
use crate::source::platform::kit::heading;
use crate::source::platform::{Next, Page, wire};
use crate::source::text::{self, Extract, Newlines};

/// What the platform writes where nothing was said to a repost.
const NOTHING_SAID: [&str; 3] = ["转发微博", "轉發微博", "Repost"];
/// A repost by one touch, without words of one's own.
const FAST_REPOST: &str = "快转微博";
/// Furthest ahead that a status may be scheduled; a day beyond is no day of this status.
const SCHEDULED_MAX: TimeDelta = TimeDelta::days(90);
const SHANGHAI_S: i32 = 8 * 3600;
/// `visible.type` of a status that only its author, a group or friends may see: it was not published.
const NOT_PUBLIC: [i64; 4] = [1, 3, 4, 6];

/// How a list cuts a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It ends with the words to open the rest.
    Shown,
    /// The status says that it is long; the text may still be whole.
    Said,
}

/// One status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub post: PostDraft,
    /// The text is not whole, or perhaps not.
    pub cut: Option<Cut>,
    /// Whose it is; empty where the status does not say.
    pub author: Account,
}

/// What stands at one place of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Status(Box<Status>),
    /// A status that is gone: its mid.
    Deleted(String),
    /// A status of another account, shown because it was liked or is paid for.
    Foreign(String),
    /// It may be seen by its author or by friends.
    NotPublic,
}

/// Reads a status. `uid` is the account whose list it stands in; empty: whoever wrote it.
pub fn read(status: &Value, uid: &str) -> Result<Item, String> {
    let get = |name: &str| wire::at(status, &[name]);
    let mid = mid(status).ok_or("a status without a usable id")?;
    let author = account(get("user"));
    if wire::flag(get("deleted")) || (author == Account::default() && says_deleted(get("text"))) {
        return Ok(Item::Deleted(mid));
    }
    let is_fast_repost = wire::id(get("ori_mid")).is_some_and(|id| id != "0");
    let owner = author.profile.platform_id.as_deref().unwrap_or(uid);
    if !uid.is_empty() && owner != uid && !is_fast_repost {
        return Ok(Item::Foreign(owner.to_owned()));
    }
    if wire::number(wire::at(status, &["visible", "type"])).is_some_and(|kind| NOT_PUBLIC.contains(&kind)) {
        return Ok(Item::NotPublic);
    }
    let stamp = published(wire::text(get("created_at")), &mid).ok_or_else(|| format!("status {mid} has no time"))?;
    let mut post = PostDraft {
        url: public_url(if uid.is_empty() { owner } else { uid }, &mid),
        published_at: Some(stamp.at),
        zone_assumed: stamp.zone_assumed,
        edited_at: date(wire::text(get("edit_at"))).filter(|at| *at > stamp.at),
        original: !is_fast_repost && !get("retweeted_status").is_object(),
        pinned: is_pinned(status),
        key: mid,
        ..PostDraft::default()
    };
    let cut = if is_fast_repost {
        FAST_REPOST.clone_into(&mut post.title);
        post.text_state = TextState::None;
        None
    } else {
        fill_text(&mut post, status)?
    };
    Ok(Item::Status(Box::new(Status { post, cut, author })))
}

/// The mid, from whichever field holds it whole; a number that went through a float has lost its digits, the bid has not.
fn mid(status: &Value) -> Option<String> {
    let is_mid = |id: &String| !id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit());
    let ids = ["mid", "idstr", "id"].iter().filter_map(|name| wire::id(wire::at(status, &[name])));
    let bids = ["mblogid", "bid"].iter().filter_map(|name| mid_of_bid(wire::text(wire::at(status, &[name]))));
    ids.chain(bids).find(is_mid)
}

fn says_deleted(text: &Value) -> bool {
    let text = wire::text(text).trim_start();
    ["抱歉，此微博已被删除", "抱歉，此微博已被作者删除"].iter().any(|words| text.starts_with(words))
}

fn is_pinned(status: &Value) -> bool {
    wire::flag(wire::at(status, &["isTop"]))
        || wire::number(wire::at(status, &["mblogtype"])) == Some(2)
        || wire::text(wire::at(status, &["title", "text"])).contains("置顶")
}

fn fill_text(post: &mut PostDraft, status: &Value) -> Result<Option<Cut>, String> {
    let get = |name: &str| wire::at(status, &[name]);
    if let Some(long) = wire::at(status, &["longText", "longTextContent"]).as_str() {
        set_text(post, long, TextState::Full);
        return Ok(None);
    }
    let html = ["text", "text_raw", "raw_text"].iter().find_map(|name| get(name).as_str());
    let html = html.ok_or_else(|| format!("status {} has no text", post.key))?;
    if let Some(shown) = without_mark(html) {
        set_text(post, shown, TextState::Full);
        // What the account said itself may stand whole before the words of others.
        if !post.original && text::line(shown).contains("//@") {
            return Ok(None);
        }
        let known = up_to_break(&post.body).to_owned();
        post.body = known;
        post.text_state = TextState::Missing;
        return Ok(Some(Cut::Shown));
    }
    let is_long = wire::flag(get("isLongText")) || wire::flag(get("truncated"));
    set_text(post, html, if is_long { TextState::Missing } else { TextState::Full });
    Ok(is_long.then_some(Cut::Said))
}

/// The text before the words that open the rest of it; `None`: there are none.
fn without_mark(html: &str) -> Option<&str> {
    let html = html.trim_end_matches(is_blank);
    let shown = if html.ends_with("展开</span>") {
        &html[..html.rfind("<span")?]
    } else if html.ends_with("全文</a>") {
        &html[..html.rfind("<a")?]
    } else {
        // As the official API writes it, before an address.
        let start = html.rfind("全文： http")?;
        if html[start..].split_whitespace().count() > 2 {
            return None;
        }
        &html[..start]
    };
    Some(shown.trim_end_matches(|c| is_blank(c) || c == '.' || c == '…'))
}

/// Gives a post its text: HTML of the sites, or plain text with line breaks.
pub fn set_text(post: &mut PostDraft, html: &str, state: TextState) {
    let Extract { body, links } = plain(html);
    let body = body.trim_matches(is_blank);
    let own =
        if post.original { body } else { body.split("//@").next().unwrap_or_default().trim_end_matches(is_blank) };
    let silent = own.is_empty() || (!post.original && NOTHING_SAID.contains(&own));
    if silent {
        post.title = if post.original { String::new() } else { NOTHING_SAID[0].to_owned() };
        post.body.clear();
        post.links.clear();
        post.text_state = TextState::None;
        return;
    }
    post.title = heading(own);
    own.clone_into(&mut post.body);
    post.links = links;
    post.text_state = state;
}

fn plain(html: &str) -> Extract {
    let Ok(base) = Url::parse("https://weibo.com/") else { return Extract::default() };
    let mut extract = text::from_html(html, &base, Newlines::Keep);
    // Mentions and topics are links within the platform, not links that the account gave.
    extract.links.retain(|link| {
        let host = Url::parse(&link.href).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        !["weibo.com", "s.weibo.com", "m.weibo.cn", "huati.weibo.com"].contains(&host.as_str())
    });
    extract
}

/// White space, and the characters without width with which the platform pads its texts.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}')
}

/// A text without the part of a sentence that may be cut off at its end.
fn up_to_break(text: &str) -> &str {
    let breaks = ['。', '！', '？', '；', '，', '、', '：', '】', '》', '”', '!', '?', ';', '#', ' ', '\n'];
    let last = text.char_indices().rfind(|(_, c)| breaks.contains(c));
    last.map_or("", |(at, c)| text[..at + c.len_utf8()].trim_end())
}

/// When it was published: the date with its zone, or else what the mid tells.
///
/// A day that is not the mid's own belongs to a scheduled status; then the day stands and its time is not known.
fn published(created_at: &str, mid: &str) -> Option<Stamp> {
    if let Some(at) = date(created_at) {
        return Some(Stamp { at, zone_assumed: false });
    }
    let Some(at) = time_of_mid(mid) else { return dates::parse_date(created_at) };
    let of_mid = Stamp { at, zone_assumed: false };
    let written = FixedOffset::east_opt(SHANGHAI_S).map(|zone| at.with_timezone(&zone).date_naive())?;
    if let Some(stamp) = dates::parse_date(created_at) {
        let same_day = (stamp.at - at).abs() < TimeDelta::days(1);
        return Some(if same_day { of_mid } else { stamp });
    }
    match month_and_day(created_at) {
        Some((month, day)) if (month, day) != (written.month(), written.day()) => {
            let in_year = |year: i32| {
                let ahead = NaiveDate::from_ymd_opt(year, month, day)?;
                (written < ahead && ahead - written <= SCHEDULED_MAX).then_some(ahead)
            };
            let day = in_year(written.year()).or_else(|| in_year(written.year() + 1));
            day.map_or(Some(of_mid), dates::end_of_day)
        }
        _ => Some(of_mid),
    }
}

/// `Sat Jan 14 18:45:00 +0800 2023`.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let (_weekday, rest) = text.trim().split_once(' ')?;
    let at = DateTime::parse_from_str(rest, "%b %d %H:%M:%S %z %Y").ok()?;
    dates::stored(at.to_utc())
}

/// `06-14`.
fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.trim().split_once('-')?;
    Some((month.parse().ok()?, day.parse().ok()?))
}

/// A page of statuses, with the places of those whose text is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses {
    pub page: Page,
    pub cut: Vec<(usize, Cut)>,
}

/// Reads statuses, each with whether its card says that it is pinned.
pub fn read_all(statuses: &[(&Value, bool)], uid: &str, next: Next) -> Statuses {
    let mut read_well = Statuses::default();
    read_well.page.n_items = statuses.len();
    read_well.page.next = next;
    let bare: Vec<&Value> = statuses.iter().map(|(status, _)| *status).collect();
    let pinned: HashSet<String> =
        statuses.iter().filter(|(_, is_pinned)| *is_pinned).filter_map(|(status, _)| mid(status)).collect();
    let (items, bad_items) = wire::read_items(&bare, |status| read(status, uid).map(Some));
    read_well.page.bad_items = bad_items;
    for item in items {
        match item {
            Item::Deleted(mid) => read_well.page.deleted.push(mid),
            Item::Foreign(_) | Item::NotPublic => {}
            Item::Status(status) => {
                let Status { mut post, cut, author } = *status;
                post.pinned |= pinned.contains(&post.key);
                read_well.cut.extend(cut.map(|cut| (read_well.page.posts.len(), cut)));
                read_well.page.posts.push(post);
                if author.profile.platform_id.is_some() && read_well.page.profile.is_none() {
                    read_well.page.profile = Some(author.profile);
                }
            }
        }
    }
    read_well
}

//! WeChat public accounts (公众号; platforms.md §1.0 to §1.4): what its interfaces share.
//!
//! - [`official`]: the official API. It lists what was published by 发布 only; [`datacube`] reports every article, one
//!   day late, and so proves whole days.
//! - [`backend`]: the list that the office sees in its own back office: everything, with the login of a person.
//! - [`album`]: a public album (合集).
//! - [`event`]: what WeChat pushes to the office's callback address when a push is finished.
//! - [`saved`]: answers that somebody saved, those of closed interfaces included.
//!
//! Every one of them names an article by the canonical form of its link, as feeds do: the same article seen through two
//! sources is one post. The articles of one push (群发批次) share [`WechatLink::push_key`].

pub mod album;
pub mod backend;
mod datacube;
pub mod event;
pub mod official;
pub mod saved;

use serde_json::Value;
use url::Url;

use super::{ITEMS_MAX, Next, Page, refusal, shape_changed, wire};
use crate::model::account::AccountKind;
use crate::model::crawl::{BadItem, Failure, Outcome};
use crate::model::post::PostDraft;
use crate::source::feed::TITLE_CHARS_MAX;
use crate::source::link::{WechatLink, canonical_key, is_lasting_wechat_link};
use crate::source::text;

/// Who publishes there.
const KINDS: &[AccountKind] = &[AccountKind::WechatSubscription, AccountKind::WechatService];
/// Longest link of an article, in bytes; real ones have 250.
const LINK_BYTES_MAX: usize = 2048;
/// 原创校验: the article is a repost.
const COPYRIGHT_REPOST: i64 = 2;

/// What one entry of a list turned out to be.
enum Entry {
    Post(Box<PostDraft>),
    /// With its key, where the list still tells enough to name it.
    Deleted(Option<String>),
    /// Holds nothing to be read.
    Empty,
}

/// The entries of one answer, in its order.
#[derive(Default)]
struct Sheet {
    page: Page,
}

impl Sheet {
    fn add(&mut self, entry: Result<Entry, String>) {
        let page = &mut self.page;
        page.n_items += 1;
        let index = page.n_items;
        match entry {
            _ if index == ITEMS_MAX + 1 => {
                let reason = format!("items beyond the first {ITEMS_MAX} were not read");
                page.bad_items.push(BadItem { index, reason });
            }
            _ if index > ITEMS_MAX => {}
            Ok(Entry::Post(post)) => page.posts.push(*post),
            Ok(Entry::Deleted(key)) => page.deleted.extend(key),
            Ok(Entry::Empty) => {}
            Err(reason) => page.bad_items.push(BadItem { index, reason }),
        }
    }

    fn into_page(self, next: Next) -> Page {
        Page { next, ..self.page }
    }
}

/// The lasting link of an article, in the form under which it is known. Lists write it with `http`, HTML-escaped and
/// sometimes with `\/` for `/`.
fn article_url(raw: &str) -> Result<Url, String> {
    let raw = raw.trim();
    if raw.is_empty() {
        return Err("has no link".to_owned());
    }
    if raw.len() > LINK_BYTES_MAX {
        return Err(format!("its link is longer than {LINK_BYTES_MAX} bytes"));
    }
    // Twice, because a list within a list may have been escaped twice.
    let plain = raw.replace("\\/", "/").replace("&amp;", "&").replace("&amp;", "&");
    let url = Url::parse(&plain).map_err(|error| format!("its link is no address: {error}"))?;
    if !is_lasting_wechat_link(&url) {
        return Err("its link is not that of a WeChat article".to_owned());
    }
    Ok(Url::parse(&canonical_key(&url)).unwrap_or(url))
}

/// An article of which only link and title are known: its text is on its page.
fn draft(url: Url, title: &str) -> PostDraft {
    PostDraft {
        key: canonical_key(&url),
        push_key: WechatLink::read(&url).map(|link| link.push_key()),
        title: text::line(title).chars().take(TITLE_CHARS_MAX).collect(),
        url: Some(url),
        ..PostDraft::default()
    }
}

/// The key of an article whose link the list no longer tells. It lacks the `sn` of the link.
fn key_without_link(biz: &str, mid: &Value, idx: &Value) -> Option<String> {
    let (mid, idx) = (wire::id(mid)?, wire::id(idx)?);
    let query = [("__biz", biz), ("mid", &mid), ("idx", &idx)];
    let url = Url::parse_with_params("https://mp.weixin.qq.com/s", query).ok()?;
    Some(canonical_key(&url))
}

/// One article of `appmsgex[]` and of `app_msg_list[]`.
fn listed_article(item: &Value, biz: Option<&str>) -> Result<Entry, String> {
    let at = |name: &str| wire::at(item, &[name]);
    let link = wire::text(at("link"));
    if wire::flag(at("is_deleted")) {
        let key = article_url(link).ok().map(|url| canonical_key(&url));
        return Ok(Entry::Deleted(key.or_else(|| key_without_link(biz?, at("appmsgid"), at("itemidx")))));
    }
    let mut post = draft(article_url(link)?, wire::text(at("title")));
    post.published_at = wire::unix_time(at("create_time"));
    // Many articles are "updated" a second before they are published.
    let updated_at = wire::unix_time(at("update_time"));
    post.edited_at = updated_at.filter(|updated_at| post.published_at.is_some_and(|at| at < *updated_at));
    post.original = wire::number(at("copyright_stat")) != Some(COPYRIGHT_REPOST);
    Ok(Entry::Post(Box::new(post)))
}

/// The accounts that published these articles, as their links name them.
fn accounts_of(posts: &[PostDraft]) -> Vec<String> {
    let mut accounts = Vec::new();
    for link in posts.iter().filter_map(|post| WechatLink::read(post.url.as_ref()?)) {
        if !accounts.contains(&link.biz) {
            accounts.push(link.biz);
        }
    }
    accounts
}

/// The refusal in an answer of mp.weixin.qq.com: `base_resp.ret` other than 0.
fn page_refusal(value: &Value) -> Result<(), Failure> {
    let response = wire::at(value, &["base_resp"]);
    let Some(code) = wire::number(wire::at(response, &["ret"])) else {
        return Err(shape_changed("the answer has no `base_resp.ret`"));
    };
    let (outcome, advice) = match code {
        0 => return Ok(()),
        200_003 | 200_040 | -1 | -6 => {
            (Outcome::LoginNeeded, "log in to mp.weixin.qq.com again and write the new cookie and token")
        }
        200_013 => (Outcome::RateLimited, "asked too often; lists of other accounts are closed and answer this always"),
        10_004 => (Outcome::Captcha, "WeChat takes this for a robot; slow down, or use another source"),
        _ => (Outcome::ShapeChanged, "not a known code; open the address in a browser"),
    };
    Err(refusal(outcome, code, wire::at(response, &["err_msg"]), advice))
}

#[cfg(test)]
mod tests;

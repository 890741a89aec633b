//! Baijiahao (百家号): the account's own back office; saved public lists. Pure. Facts: platforms.md §6.
//!
//! `GET pcui/article/lists` by page number; the list is an array, or an object with numbers for keys. Only what is
//! published (`publish`, `pre_publish`) counts; what the office withdrew is named as deleted; drafts, rejected items and
//! those under review are left out. There is no counter of posts but one of pages: no page and an empty list are a
//! proof of nothing, and nothing else is. The name of the account is asked last, since a cookie does not say whose it is.
//!
//! Keys: the number in the article's public address (`s?id=`), which the list calls `nid`.

mod saved;

use serde_json::Value;
use url::Url;

use super::drafts::{Drafted, page_of};
use super::wire::{at, counter, id, items, number, text, unix_time};
use super::{Answer, Call, Context, Conversation, Gathering, Next, Page, Step, message, refusal, shape_changed};
use crate::model::crawl::{Failure, Listing, Outcome, Profile};
use crate::model::post::PostDraft;
use crate::source::dates::{self, Stamp};
use crate::source::text as plain;
pub use saved::recognise;

const LIST_PATH: &str = "pcui/article/lists";
const NAME_PATH: &str = "builder/app/appinfo";
const PAGE_SIZE: &str = "10";
const REFERER: &str = "https://baijiahao.baidu.com/builder/rc/content";
const HOST: &str = "baijiahao.baidu.com";
/// Names of the publish time, in the order of trust.
const TIME_NAMES: &[&str] = &["publish_time", "publish_at"];

/// Reads the articles of the account that is logged in.
#[derive(Debug)]
pub struct Baijiahao<'a> {
    context: Context<'a>,
    pages: Gathering,
    page: u64,
    /// The list is read; the account's name is asked.
    listing: Option<Listing>,
}

impl<'a> Baijiahao<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { context, pages: Gathering::new(context.back_to), page: 1, listing: None }
    }

    fn ask(&self) -> Result<Call, Failure> {
        let page = self.page.to_string();
        let mut query = vec![
            ("currentPage", page.as_str()),
            ("pageSize", PAGE_SIZE),
            ("search", ""),
            ("type", ""),
            ("collection", ""),
            ("dynamic", "1"),
        ];
        let app_id = self.context.spec.value("app_id");
        if !app_id.is_empty() {
            query.push(("app_id", app_id));
        }
        self.call(self.context.url_with(LIST_PATH, &query)?)
    }

    fn call(&self, url: Url) -> Result<Call, Failure> {
        let call = Call::get(url).header("cookie", self.context.secret("cookie")?).header("referer", REFERER);
        // The token of the back office's page: most callers send it, not all need it.
        Ok(match self.context.credential.and_then(|credential| credential.get("token")) {
            Some(token) => call.header("token", token),
            None => call,
        })
    }
}

impl Conversation for Baijiahao<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask()
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        if let Some(mut listing) = self.listing.take() {
            let profile = match answer.json() {
                Ok(value) => profile(&value),
                // A list that was read stands without the name; an empty one may be what a visitor is shown.
                Err(failure) if listing.posts.is_empty() => return Err(failure),
                Err(_) => None,
            };
            let asked = self.context.spec.value("app_id");
            let found = profile.as_ref().and_then(|profile| profile.platform_id.as_deref());
            if found.is_some_and(|found| !asked.is_empty() && found != asked) {
                let detail = "the cookie is of another account than the source's `app_id`; log in as that account";
                return Err(Failure::new(Outcome::PermissionMissing, detail));
            }
            listing.profile = profile;
            return Ok(Step::Done(listing));
        }
        let value = answer.json()?;
        if matches!(answer.status, 401 | 403) {
            let detail =
                format!("the back office answered {}; log in again and write the credential anew", answer.status);
            return Err(Failure::new(Outcome::LoginNeeded, detail));
        }
        let page = parse(&value, self.page)?;
        if self.pages.add(page).is_some() {
            self.page += 1;
            return self.ask().map(Step::Ask);
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        self.listing = Some(pages.finish());
        self.call(self.context.url(NAME_PATH)?).map(Step::Ask)
    }
}

/// Reads the answer to a question for page `asked`.
fn parse(answer: &Value, asked: u64) -> Result<Page, Failure> {
    let Some(code) = number(at(answer, &["errno"])) else {
        return Err(shape_changed("the answer of the back office has no `errno`"));
    };
    if code != 0 {
        let said = [at(answer, &["errmsg"]), at(answer, &["msg"])].into_iter().find(|said| said.is_string());
        return Err(refused(code, said.unwrap_or(&Value::Null)));
    }
    let data = at(answer, &["data"]);
    let Some(list) = items(at(data, &["list"])) else {
        return Err(shape_changed("the list of articles (`data.list`) is missing"));
    };
    let mut page = page_of(&list, read);
    let paging = at(data, &["page"]);
    let n_pages = counter(at(paging, &["totalPage"]));
    let current = counter(at(paging, &["currentPage"])).unwrap_or(asked);
    page.total = counter(at(paging, &["totalCount"])).or_else(|| n_pages.filter(|n_pages| *n_pages == 0));
    page.next = match n_pages {
        Some(n_pages) if current >= n_pages => Next::End,
        Some(_) => Next::Cursor(current.saturating_add(1).to_string()),
        None => Next::Unknown,
    };
    Ok(page)
}

/// Any code but 0 is reported to mean that the login is over; clear words come first.
fn refused(code: i64, said: &Value) -> Failure {
    let words = message(said);
    let says = |clues: &[&str]| clues.iter().any(|clue| words.contains(clue));
    let (outcome, advice) = if says(&["频繁", "过快"]) {
        (Outcome::RateLimited, "asked too often; it will be asked again later")
    } else if says(&["安全验证", "验证码"]) {
        (Outcome::Captcha, "it asks for a captcha; open the back office in a browser")
    } else if says(&["封禁", "封号"]) {
        (Outcome::AccountBanned, "the platform hides the account; ask the office")
    } else if says(&["注销"]) {
        (Outcome::AccountCancelled, "the account is gone; correct the registry")
    } else if says(&["权限"]) {
        (Outcome::PermissionMissing, "this login may not see the articles; log in as an operator of the account")
    } else {
        (Outcome::LoginNeeded, "the login is over; log in again and write the credential anew")
    };
    refusal(outcome, code, said, advice)
}

fn read(item: &Value) -> Result<Option<Drafted>, String> {
    let link = link_of(item, &["url", "share_url"]);
    let nid = id(at(item, &["nid"])).map(|nid| nid.trim_start_matches("news_").to_owned());
    let public_id = nid.or_else(|| link.as_ref().and_then(article_id));
    let key = public_id.clone().or_else(|| id(at(item, &["article_id"])));
    let key = key.ok_or("neither `nid` nor `article_id`, nor an address with one")?;
    match text(at(item, &["status"])) {
        "publish" | "pre_publish" => {}
        "withdraw" => return Ok(Some(Drafted::Deleted(key))),
        "" => return Err(format!("{key}: no `status`")),
        _ => return Ok(None),
    }
    let title = plain::line(text(at(item, &["title"])));
    if title.is_empty() {
        return Err(format!("{key}: no title"));
    }
    let stamp = TIME_NAMES.iter().find_map(|name| stamp(at(item, &[name])));
    Ok(Some(Drafted::Public(Box::new(PostDraft {
        url: public_id.as_deref().and_then(public_link).or(link),
        key,
        title,
        published_at: stamp.map(|stamp| stamp.at),
        zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
        ..PostDraft::default()
    }))))
}

fn profile(answer: &Value) -> Option<Profile> {
    let user = at(answer, &["data", "user"]);
    let name = Some(plain::line(text(at(user, &["name"])))).filter(|name| !name.is_empty());
    let platform_id = id(at(user, &["app_id"]));
    (name.is_some() || platform_id.is_some()).then_some(Profile { name, verified: None, platform_id })
}

/// Unix seconds, or a local time as text.
fn stamp(value: &Value) -> Option<Stamp> {
    let exact = unix_time(value).map(|at| Stamp { at, zone_assumed: false });
    exact.or_else(|| dates::parse_date(text(value)))
}

/// The first of these that is a web address.
fn link_of(item: &Value, names: &[&str]) -> Option<Url> {
    let base = Url::parse("https://baijiahao.baidu.com/").ok()?;
    names.iter().find_map(|name| plain::web_url(text(at(item, &[name])), &base))
}

/// The number that names an article in its address: `s?id=`, also on the preview page.
fn article_id(url: &Url) -> Option<String> {
    let is_article = url.host_str() == Some(HOST) && (url.path() == "/s" || url.path().ends_with("/s"));
    let (_, id) = url.query_pairs().find(|(name, _)| is_article && name == "id")?;
    is_number(&id).then(|| id.into_owned())
}

fn public_link(id: &str) -> Option<Url> {
    if !is_number(id) {
        return None;
    }
    Url::parse(&format!("https://{HOST}/s?id={id}")).ok()
}

fn is_number(id: &str) -> bool {
    !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;

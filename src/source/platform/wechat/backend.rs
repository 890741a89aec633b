//! The list of sent articles in the account's own back office (platforms.md §1.2): everything that was published, by
//! 发布 and by 群发, with the login of an administrator or operator.
//!
//! Quirks: the list is JSON in a string in JSON, and each push in it JSON in a string again. Pushes whose
//! `publish_info` is empty have nothing to show. Deleted articles stay in the list without their link. All articles of
//! a push have one publish time.

use serde_json::Value;

use super::{COPYRIGHT_REPOST, Entry, Sheet, accounts_of, article_url, draft, key_without_link, listed_article};
use super::{canonical_key, page_refusal};
use crate::model::crawl::{Failure, Profile};
use crate::source::link::WechatLink;
use crate::source::platform::{Answer, Call, Context, Conversation, Gathering, Next, Page, Step, shape_changed, wire};

/// Pushes of one answer; the page itself asks for ten.
const COUNT: &str = "10";
/// 发布 and 群发, as the page asks for them.
const TYPES: &str = "101_1_102_103";

/// A talk with the back office.
#[derive(Debug)]
pub struct Backend<'a> {
    context: Context<'a>,
    begin: u64,
    /// The account, as soon as a link named it: deleted articles have no link of their own.
    biz: Option<String>,
    pages: Gathering,
}

impl<'a> Backend<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { begin: 0, biz: None, pages: Gathering::new(context.back_to), context }
    }

    fn ask(&self) -> Result<Call, Failure> {
        let begin = self.begin.to_string();
        let query = [
            ("sub", "list"),
            ("begin", begin.as_str()),
            ("count", COUNT),
            ("query", ""),
            ("type", TYPES),
            ("token", self.context.secret("token")?),
            ("lang", "zh_CN"),
            ("f", "json"),
            ("ajax", "1"),
        ];
        let call = Call::get(self.context.url_with("cgi-bin/appmsgpublish", &query)?);
        Ok(call
            .header("cookie", self.context.secret("cookie")?)
            .header("referer", self.context.base.as_str())
            .header("x-requested-with", "XMLHttpRequest"))
    }
}

impl Conversation for Backend<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask()
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let page = parse(&answer.json()?, Some(self.begin), &mut self.biz)?;
        if let Some(begin) = self.pages.add(page) {
            self.begin = begin.parse().map_err(|_| shape_changed("the list has no next place"))?;
            return self.ask().map(Step::Ask);
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Ok(Step::Done(pages.finish()))
    }
}

/// Reads an answer of `appmsgpublish`, of the own list and of the closed one for other accounts. `begin`: what was asked;
/// `None`: not known, as in a saved answer. `biz`: the account, kept from page to page.
pub(super) fn parse(value: &Value, begin: Option<u64>, biz: &mut Option<String>) -> Result<Page, Failure> {
    page_refusal(value)?;
    let Some(list) = unwrapped(wire::at(value, &["publish_page"])) else {
        return Err(shape_changed("the answer has no `publish_page`"));
    };
    let Some(pushes) = wire::at(&list, &["publish_list"]).as_array() else {
        return Err(shape_changed("the answer has no list `publish_list`"));
    };
    let infos: Vec<Option<Value>> = pushes.iter().map(|push| unwrapped(wire::at(push, &["publish_info"]))).collect();
    if biz.is_none() {
        *biz = infos.iter().flatten().find_map(account_of);
    }
    let mut sheet = Sheet::default();
    for (push, info) in pushes.iter().zip(&infos) {
        match info {
            Some(info) => read_push(info, biz.as_deref(), &mut sheet),
            None if wire::at(push, &["publish_info"]).as_str() == Some("") => sheet.add(Ok(Entry::Empty)),
            None => sheet.add(Err("its `publish_info` is missing or damaged".to_owned())),
        }
    }
    // The counter counts pushes, not articles: only zero says anything about articles.
    let total = wire::counter(wire::at(&list, &["total_count"]));
    let next = match (begin.and_then(|begin| begin.checked_add(pushes.len() as u64)), total) {
        (Some(seen), Some(total)) if seen >= total => Next::End,
        (Some(seen), Some(_)) if !pushes.is_empty() => Next::Cursor(seen.to_string()),
        _ => Next::Unknown,
    };
    let mut page = sheet.into_page(next);
    page.total = total.filter(|total| *total == 0);
    // The links tell whose back office it is.
    let platform_id = biz.clone().or_else(|| accounts_of(&page.posts).into_iter().next());
    page.profile = platform_id.map(|id| Profile { platform_id: Some(id), ..Profile::default() });
    Ok(page)
}

/// JSON in a string; the object itself is taken, too.
fn unwrapped(value: &Value) -> Option<Value> {
    if value.is_object() { Some(value.clone()) } else { wire::nested(value).filter(Value::is_object) }
}

/// The articles of a push, under the two names that the own list and the closed one use.
fn articles_of(info: &Value) -> Option<(&Vec<Value>, bool)> {
    let list = |name: &str| wire::at(info, &[name]).as_array();
    match (list("appmsg_info"), list("appmsgex")) {
        (Some(own), other) if !own.is_empty() || other.is_none_or(Vec::is_empty) => Some((own, true)),
        (_, Some(other)) => Some((other, false)),
        (own, None) => own.map(|own| (own, true)),
    }
}

fn account_of(info: &Value) -> Option<String> {
    let (articles, _) = articles_of(info)?;
    let links = articles.iter().flat_map(|article| ["content_url", "link"].map(|name| wire::at(article, &[name])));
    links.into_iter().find_map(|link| Some(WechatLink::read(&article_url(wire::text(link)).ok()?)?.biz))
}

fn read_push(info: &Value, biz: Option<&str>, sheet: &mut Sheet) {
    let Some((articles, is_own)) = articles_of(info) else {
        return sheet.add(Err("the push has no list of articles".to_owned()));
    };
    if articles.is_empty() {
        return sheet.add(Ok(Entry::Empty));
    }
    let sent_at = wire::unix_time(wire::at(info, &["sent_info", "time"]));
    for article in articles {
        let entry = if is_own { own_article(article, biz) } else { listed_article(article, biz) };
        sheet.add(entry.map(|entry| match entry {
            Entry::Post(mut post) => {
                post.published_at = sent_at.or(post.published_at);
                post.edited_at = post.edited_at.filter(|edited_at| post.published_at.is_some_and(|at| at < *edited_at));
                Entry::Post(post)
            }
            other => other,
        }));
    }
}

fn own_article(article: &Value, biz: Option<&str>) -> Result<Entry, String> {
    let at = |name: &str| wire::at(article, &[name]);
    let url = article_url(wire::text(at("content_url")));
    if wire::flag(at("is_deleted")) {
        let key = url.ok().map(|url| canonical_key(&url));
        return Ok(Entry::Deleted(key.or_else(|| key_without_link(biz?, at("appmsgid"), at("itemidx")))));
    }
    let mut post = draft(url?, wire::text(at("title")));
    post.original = wire::number(at("copyright_status")) != Some(COPYRIGHT_REPOST);
    Ok(Entry::Post(Box::new(post)))
}

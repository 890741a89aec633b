//! A public album (合集) of a WeChat account (platforms.md §1.4), without a login: for offices that file every article.
//!
//! Quirks: `article_list` is an array, a single object where there is one item, and missing behind the last page and for
//! a wrong album. Numbers and flags are texts. Deleted articles simply are not there. The counter counts the album,
//! not the account, so it proves nothing. An album may stand in ascending order: then it is read from its other end.

use serde_json::Value;

use super::{Entry, Sheet, article_url, draft, page_refusal};
use crate::model::crawl::{Failure, Outcome, Profile};
use crate::model::post::PostDraft;
use crate::source::platform::{Answer, Call, Context, Conversation, Gathering, Next, Page, Step, shape_changed, wire};
use crate::source::text;

/// Articles of one answer, at most.
const COUNT: &str = "20";
/// Most characters of the name of an account.
const NAME_CHARS_MAX: usize = 100;

/// A talk about an album.
#[derive(Debug)]
pub struct Album<'a> {
    context: Context<'a>,
    is_reverse: bool,
    /// `msgid/itemidx` of the last article so far.
    after: Option<String>,
    pages: Gathering,
}

impl<'a> Album<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { is_reverse: false, after: None, pages: Gathering::new(context.back_to), context }
    }

    fn ask(&self) -> Result<Call, Failure> {
        let spec = self.context.spec;
        let mut query = vec![
            ("action", "getalbum"),
            ("__biz", spec.value("biz")),
            ("album_id", spec.value("album")),
            ("count", COUNT),
            ("is_reverse", if self.is_reverse { "1" } else { "0" }),
            ("f", "json"),
        ];
        if let Some((msgid, itemidx)) = self.after.as_deref().and_then(|after| after.split_once('/')) {
            query.extend([("begin_msgid", msgid), ("begin_itemidx", itemidx)]);
        }
        Ok(Call::get(self.context.url_with("mp/appmsgalbum", &query)?))
    }
}

impl Conversation for Album<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask()
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let place = Place { is_first: self.after.is_none(), is_reverse: self.is_reverse };
        let mut page = parse(&answer.json()?, place)?;
        if place.is_first && !place.is_reverse && page.next != Next::End && is_ascending(&page.posts) {
            self.is_reverse = true;
            return self.ask().map(Step::Ask);
        }
        if let Some(profile) = &mut page.profile {
            profile.platform_id = Some(self.context.spec.value("biz").to_owned());
        }
        self.after = self.pages.add(page);
        if self.after.is_some() {
            return self.ask().map(Step::Ask);
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Ok(Step::Done(pages.finish()))
    }
}

/// Which page was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub is_first: bool,
    pub is_reverse: bool,
}

/// Reads an answer of `appmsgalbum`.
pub(super) fn parse(value: &Value, place: Place) -> Result<Page, Failure> {
    page_refusal(value)?;
    let album = wire::at(value, &["getalbum_resp"]);
    if !album.is_object() {
        return Err(shape_changed("the answer has no `getalbum_resp`"));
    }
    let flag = |name: &str| wire::flag(wire::at(album, &[name]));
    // In reverse, either flag was seen to say that there is more.
    let goes_on = flag("continue_flag") || (place.is_reverse && flag("reverse_continue_flag"));
    let mut sheet = Sheet::default();
    let mut last = None;
    match wire::items(wire::at(album, &["article_list"])) {
        Some(items) => {
            for item in items {
                sheet.add(read_article(item));
                last = after(item).or(last);
            }
        }
        None if place.is_first => {
            let detail = "the album lists nothing; check `biz` and `album`, or whether it is still public";
            let is_empty = wire::counter(wire::at(album, &["base_info", "article_count"])) == Some(0);
            return if is_empty { Ok(Page::default()) } else { Err(Failure::new(Outcome::NotFound, detail)) };
        }
        // So ends an album that was read to its end.
        None if !flag("continue_flag") => return Ok(Page { next: Next::End, ..Page::default() }),
        None => return Err(shape_changed("the album goes on without a list `article_list`")),
    }
    let next = match last {
        Some(cursor) if goes_on => Next::Cursor(cursor),
        Some(_) => Next::End,
        None => Next::Unknown,
    };
    let mut page = sheet.into_page(next);
    let name = text::line(wire::text(wire::at(album, &["base_info", "nickname"])));
    if !name.is_empty() {
        let name = Some(name.chars().take(NAME_CHARS_MAX).collect());
        page.profile = Some(Profile { name, ..Profile::default() });
    }
    Ok(page)
}

fn read_article(item: &Value) -> Result<Entry, String> {
    let at = |name: &str| wire::at(item, &[name]);
    let mut post = draft(article_url(wire::text(at("url")))?, wire::text(at("title")));
    post.published_at = wire::unix_time(at("create_time"));
    Ok(Entry::Post(Box::new(post)))
}

fn after(item: &Value) -> Option<String> {
    let id = |name: &str| wire::id(wire::at(item, &[name]));
    Some(format!("{}/{}", id("msgid")?, id("itemidx")?))
}

fn is_ascending(posts: &[PostDraft]) -> bool {
    let times: Vec<_> = posts.iter().filter_map(|post| post.published_at).collect();
    times.is_sorted() && times.first() < times.last()
}

//! The dynamics of a space (空间动态): everything an account publishes, public. Pure. Facts: platforms.md §9.
//!
//! `GET x/polymer/web-dynamic/v1/feed/space?host_mid=…`; the list goes on at `offset` while `has_more` is set. A pinned
//! dynamic comes first, whatever its age. A login is optional; without one risk control comes sooner. There is no
//! counter, so an empty list proves nothing, and a page without an item is not taken as the end of the list.

use serde_json::Value;

use super::{data, item};
use crate::model::crawl::Failure;
use crate::source::platform::drafts::page_of;
use crate::source::platform::wire::{at, flag, id, items};
use crate::source::platform::{Answer, Call, Context, Conversation, Gathering, Next, Page, Step, shape_changed};

const PATH: &str = "x/polymer/web-dynamic/v1/feed/space";

/// Reads the dynamics of a space.
#[derive(Debug)]
pub struct Space<'a> {
    context: Context<'a>,
    pages: Gathering,
}

impl<'a> Space<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { context, pages: Gathering::new(context.back_to) }
    }

    fn ask(&self, offset: &str) -> Result<Call, Failure> {
        let mid = self.context.spec.value("mid");
        let query = [
            ("host_mid", mid),
            ("offset", offset),
            ("timezone_offset", "-480"),
            ("platform", "web"),
            ("features", "itemOpusStyle"),
        ];
        let call = Call::get(self.context.url_with(PATH, &query)?).header("referer", "https://space.bilibili.com/");
        if self.context.spec.credential.is_none() {
            return Ok(call);
        }
        Ok(call.header("cookie", self.context.secret("cookie")?))
    }
}

impl Conversation for Space<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask("")
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let page = parse(&answer.json()?, Some(self.context.spec.value("mid")))?;
        if let Some(offset) = self.pages.add(page) {
            return self.ask(&offset).map(Step::Ask);
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Ok(Step::Done(pages.finish()))
    }
}

/// Reads one answer. The account is shown beside its own dynamics; a work made together with others (联合投稿) may stand
/// under the name of one of them, so `mid` says whose profile is wanted.
pub(super) fn parse(answer: &Value, mid: Option<&str>) -> Result<Page, Failure> {
    let data = data(answer)?;
    let Some(list) = data.get("items").filter(|list| list.is_array()).and_then(items) else {
        return Err(shape_changed("the list of dynamics (`data.items`) is missing"));
    };
    let mut page = page_of(&list, item::read);
    let is_wanted = |id: Option<&str>| mid.is_none() || id == mid;
    page.profile =
        list.iter().filter_map(|item| item::profile(item)).find(|profile| is_wanted(profile.platform_id.as_deref()));
    let has_more = at(data, &["has_more"]);
    page.next = match id(at(data, &["offset"])) {
        Some(offset) if flag(has_more) => Next::Cursor(offset),
        _ if has_more.is_null() || flag(has_more) || list.is_empty() => Next::Unknown,
        _ => Next::End,
    };
    Ok(page)
}

//! The open platform (开放平台): the videos of an account that authorised an application. Pure. Facts: platforms.md §9.
//!
//! `GET arcopen/fn/archive/viewlist`, by page number. It lists videos only, those under review and those withdrawn
//! among them: its counter (`page.total`) says nothing about dynamics with text and pictures, so even a counter of zero
//! proves nothing of the account. The keys are those of the videos' dynamics (see [`super`]).

use serde_json::Value;

use super::{bvid, data, video_link};
use crate::model::crawl::{Failure, Proof};
use crate::model::post::{PostDraft, TextState};
use crate::source::dates::{self, Stamp};
use crate::source::platform::drafts::{Drafted, page_of};
use crate::source::platform::wire::{at, counter, items, number, text, unix_time};
use crate::source::platform::{Answer, Call, Context, Conversation, Gathering, Next, Page, Step, shape_changed};
use crate::source::text as plain;

const PATH: &str = "arcopen/fn/archive/viewlist";
const PAGE_SIZE: &str = "50";
/// State of a video that its author deleted; other negative ones are not public (yet).
const DELETED: i64 = -100;

/// Reads the videos of the account that authorised us.
#[derive(Debug)]
pub struct Official<'a> {
    context: Context<'a>,
    pages: Gathering,
}

impl<'a> Official<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { context, pages: Gathering::new(context.back_to) }
    }

    fn ask(&self, page: &str) -> Result<Call, Failure> {
        let query = [
            ("pn", page),
            ("ps", PAGE_SIZE),
            ("client_id", self.context.secret("client_id")?),
            ("access_token", self.context.secret("access_token")?),
        ];
        Ok(Call::get(self.context.url_with(PATH, &query)?))
    }
}

impl Conversation for Official<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask("1")
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let page = parse(&answer.json()?)?;
        if let Some(next) = self.pages.add(page) {
            return self.ask(&next).map(Step::Ask);
        }
        let mut listing = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to)).finish();
        listing.proof = Proof::Nothing;
        Ok(Step::Done(listing))
    }
}

/// Reads one answer.
pub(super) fn parse(answer: &Value) -> Result<Page, Failure> {
    let data = data(answer)?;
    let Some(list) = data.get("list").filter(|list| list.is_array()).and_then(items) else {
        return Err(shape_changed("the list of videos (`data.list`) is missing"));
    };
    let mut page = page_of(&list, read);
    let value = |name: &str| counter(at(data, &["page", name]));
    page.total = value("total");
    page.next = match (value("pn"), value("ps"), page.total) {
        (Some(pn), Some(ps), Some(total)) if pn.saturating_mul(ps) >= total => Next::End,
        (Some(pn), Some(_), Some(_)) => Next::Cursor(pn.saturating_add(1).to_string()),
        _ => Next::Unknown,
    };
    Ok(page)
}

fn read(item: &Value) -> Result<Option<Drafted>, String> {
    let bvid = bvid(at(item, &["resource_id"])).ok_or("no `resource_id`")?;
    let state = number(at(item, &["addit_info", "state"])).unwrap_or(0);
    let stamp = stamp(at(item, &["ptime"])).or_else(|| stamp(at(item, &["ctime"])));
    video(bvid, state, item, "desc", stamp)
}

/// A video of any list that tells its state; the description stands under `text_name`.
pub(super) fn video(
    bvid: String,
    state: i64,
    item: &Value,
    text_name: &str,
    stamp: Option<Stamp>,
) -> Result<Option<Drafted>, String> {
    if state == DELETED {
        return Ok(Some(Drafted::Deleted(bvid)));
    }
    if state < 0 {
        return Ok(None);
    }
    let title = plain::line(text(at(item, &["title"])));
    if title.is_empty() {
        return Err(format!("{bvid}: no title"));
    }
    let body = plain::from_plain(text(at(item, &[text_name])));
    Ok(Some(Drafted::Public(Box::new(PostDraft {
        url: video_link(&bvid),
        key: bvid,
        title,
        text_state: if body.is_empty() { TextState::None } else { TextState::Full },
        body,
        published_at: stamp.map(|stamp| stamp.at),
        zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
        ..PostDraft::default()
    }))))
}

/// A time in Unix seconds, or as text.
pub(super) fn stamp(value: &Value) -> Option<Stamp> {
    let exact = unix_time(value).map(|at| Stamp { at, zone_assumed: false });
    exact.or_else(|| dates::parse_date(text(value)))
}

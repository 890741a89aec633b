//! The open platform's list of the works of the account that authorised the application (platforms.md §4).
//!
//! A page is asked for with the id of the oldest work of the page before; the list ends with an empty page. Where it is
//! empty from the beginning, the counter beside it is asked. What it leaves out is not known, so its grade is partial.

use serde_json::Value;

use super::{draft, refused};
use crate::model::crawl::Failure;
use crate::model::post::PostDraft;
use crate::source::platform::{
    Answer, Call, Context, Conversation, Gathering, Next, Page, Step, kit, shape_changed, wire,
};

const LIST: &str = "openapi/photo/list";
const COUNT: &str = "openapi/photo/count";
/// Works of one page; up to 200 are allowed.
const PAGE_ITEMS: &str = "50";

/// The talk with the open platform.
#[derive(Debug)]
pub struct Official<'a> {
    context: Context<'a>,
    pages: Gathering,
    n_items: usize,
    asks_count: bool,
}

impl<'a> Official<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { pages: Gathering::new(context.back_to), context, n_items: 0, asks_count: false }
    }

    fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Call, Failure> {
        let secrets =
            [("app_id", self.context.secret("app_id")?), ("access_token", self.context.secret("access_token")?)];
        let mut url = self.context.url_with(path, &secrets)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(Call::get(url))
    }

    fn done(&mut self) -> Step {
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Step::Done(pages.finish())
    }
}

impl Conversation for Official<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.call(LIST, &[("count", PAGE_ITEMS)])
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let value = answer.json()?;
        if self.asks_count {
            self.pages.set_total(count(&value)?);
            return Ok(self.done());
        }
        let page = parse(&value)?;
        self.n_items += page.n_items;
        if let Some(cursor) = self.pages.add(page) {
            return Ok(Step::Ask(self.call(LIST, &[("cursor", &cursor), ("count", PAGE_ITEMS)])?));
        }
        if self.n_items == 0 {
            self.asks_count = true;
            return Ok(Step::Ask(self.call(COUNT, &[])?));
        }
        Ok(self.done())
    }
}

fn checked(value: &Value) -> Result<(), Failure> {
    match wire::number(wire::at(value, &["result"])) {
        Some(1) => Ok(()),
        Some(result) => {
            let said = ["error_msg", "error", "message"].map(|key| wire::at(value, &[key]));
            Err(refused(result, &Value::from(kit::first_text(said))))
        }
        None => Err(shape_changed("the answer has no `result`")),
    }
}

/// One page of works.
pub fn parse(value: &Value) -> Result<Page, Failure> {
    checked(value)?;
    let works = wire::at(value, &["video_list"]).as_array();
    let works: Vec<&Value> = works.ok_or_else(|| shape_changed("success without a list of works"))?.iter().collect();
    let (posts, bad_items) = wire::read_items(&works, read);
    // Pending works count too: the next page begins behind the oldest of all.
    let timed = works.iter().filter_map(|work| Some((wire::number(wire::at(work, &["create_time"]))?, work)));
    let oldest = timed.min_by_key(|(time, _)| *time).map(|(_, work)| work).or(works.last());
    let next = match oldest.map(|work| kit::exact_id(wire::at(work, &["photo_id"]))) {
        None => Next::End,
        Some(None) => Next::Unknown,
        Some(Some(id)) => Next::Cursor(id),
    };
    Ok(Page { posts, bad_items, n_items: works.len(), next, ..Page::default() })
}

fn read(work: &Value) -> Result<Option<PostDraft>, String> {
    let key = kit::exact_id(wire::at(work, &["photo_id"])).ok_or("the work has no `photo_id` as text")?;
    if wire::flag(wire::at(work, &["pending"])) {
        return Ok(None);
    }
    let published_at = wire::unix_time(wire::at(work, &["create_time"]));
    Ok(Some(draft(key, wire::text(wire::at(work, &["caption"])), published_at)))
}

/// All works of the account, those that only it or its friends see too: zero means that there is none.
fn count(value: &Value) -> Result<u64, Failure> {
    checked(value)?;
    let counts = ["all_count", "public_count"].map(|key| wire::counter(wire::at(value, &[key])));
    counts.into_iter().flatten().next().ok_or_else(|| shape_changed("the answer counts no works"))
}

//! The creator centre's list of the account's own works, with the owner's login cookie (platforms.md §3.2).
//!
//! The question asks for public works only (`status` 1), and what comes is looked at again: works in review, refused,
//! private and scheduled ones are no posts. Its `total` is the second signal.

use serde_json::Value;

use super::list::{self, View};
use crate::model::crawl::Failure;
use crate::source::platform::{Answer, Call, Context, Conversation, Gathering, Step};

const PATH: &str = "janus/douyin/creator/pc/work_list";
const REFERER: &str = "https://creator.douyin.com/creator-micro/content/manage";
/// Works of one page. The page asks for 12; more make fewer questions, of which ten an hour are advised.
const PAGE_ITEMS: &str = "20";
/// Public works.
const STATUS_PUBLIC: &str = "1";

/// The talk with the creator centre.
#[derive(Debug)]
pub struct Creator<'a> {
    context: Context<'a>,
    pages: Gathering,
}

impl<'a> Creator<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { pages: Gathering::new(context.back_to), context }
    }

    fn page(&self, cursor: &str) -> Result<Call, Failure> {
        let query = [
            ("status", STATUS_PUBLIC),
            ("count", PAGE_ITEMS),
            ("max_cursor", cursor),
            ("scene", "star_atlas"),
            ("device_platform", "android"),
            ("aid", "1128"),
        ];
        let cookie = self.context.secret("cookie")?;
        Ok(Call::get(self.context.url_with(PATH, &query)?).header("cookie", cookie).header("referer", REFERER))
    }
}

impl Conversation for Creator<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.page("0")
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let value: Value = super::data(answer)?;
        let page = list::parse(&value, View::Owner(Some(self.context.now)))?;
        if let Some(cursor) = self.pages.add(page) {
            return Ok(Step::Ask(self.page(&cursor)?));
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Ok(Step::Done(pages.finish()))
    }
}

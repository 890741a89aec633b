//! WeChat Channels (视频号): the account's own back office (视频号助手). Pure. Facts: platforms.md §8.
//!
//! `POST …/post/post_list` by page number; the counter `totalCount` stands beside the list. The interface moved in
//! August 2026: the new path is asked first, the old one once where the new one answers 404. There is no public list
//! and no lasting web link, so posts have no address. The login lasts hours to days and needs a scan by phone; an
//! `errCode` other than 0 is never an empty list.

use serde_json::{Value, json};

use super::drafts::{Drafted, page_of};
use super::kit::heading;
use super::saved::Saved;
use super::wire::{at, counter, flag, id, items, number, text, unix_time};
use super::{Answer, Call, Context, Conversation, Gathering, Next, Page, Step, message, refusal, shape_changed};
use crate::model::account::AccountKind;
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::{PostDraft, TextState};
use crate::source::text as plain;

const PATH: &str = "micro/content/cgi-bin/mmfinderassistant-bin/post/post_list";
/// The path until August 2026.
const OLD_PATH: &str = "cgi-bin/mmfinderassistant-bin/post/post_list";
const PAGE_SIZE: usize = 20;
/// Codes of a session that is over.
const LOGIN_CODES: &[i64] = &[300_333, 300_334, -1];

/// Reads the posts of the account that is logged in.
#[derive(Debug)]
pub struct Channels<'a> {
    context: Context<'a>,
    pages: Gathering,
    path: &'static str,
    page: u64,
}

impl<'a> Channels<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { context, pages: Gathering::new(context.back_to), path: PATH, page: 1 }
    }

    fn ask(&self) -> Result<Call, Failure> {
        let body = json!({"pageSize": PAGE_SIZE, "currentPage": self.page});
        let cookie = self.context.secret("cookie")?;
        Ok(Call::post(self.context.url(self.path)?, body).header("cookie", cookie))
    }
}

impl Conversation for Channels<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask()
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        if answer.status == 404 && self.path == PATH && self.page == 1 {
            self.path = OLD_PATH;
            return self.ask().map(Step::Ask);
        }
        let mut page = parse(&answer.json()?)?;
        page.next = next(&page.next, self.page, page.n_items, page.total);
        if self.pages.add(page).is_some() {
            self.page += 1;
            return self.ask().map(Step::Ask);
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Ok(Step::Done(pages.finish()))
    }
}

/// Where the list goes on after page `page`: the counter says it, else a flag, else a page that is not full.
fn next(told: &Next, page: u64, n_items: usize, total: Option<u64>) -> Next {
    let more = || Next::Cursor((page + 1).to_string());
    match total {
        Some(total) if page.saturating_mul(PAGE_SIZE as u64) >= total => Next::End,
        None if *told == Next::End || (*told == Next::Unknown && n_items < PAGE_SIZE) => Next::End,
        // Also behind a short page before the counter's end: `Gathering` checks the claim.
        Some(_) | None => more(),
    }
}

/// Reads one answer.
fn parse(answer: &Value) -> Result<Page, Failure> {
    let Some(code) = number(at(answer, &["errCode"])) else {
        return Err(shape_changed("the answer of the back office has no `errCode`"));
    };
    if code != 0 {
        return Err(refused(code, at(answer, &["errMsg"])));
    }
    let data = at(answer, &["data"]);
    let Some(list) = data.get("list").filter(|list| list.is_array()).and_then(items) else {
        return Err(shape_changed("the list of posts (`data.list`) is missing"));
    };
    let mut page = page_of(&list, read);
    page.total = counter(at(data, &["totalCount"]));
    let more = at(data, &["continueFlag"]);
    page.next = match more.is_null() {
        true => Next::Unknown,
        // Where it goes on is counted; see `next`.
        false if flag(more) => Next::Cursor(String::new()),
        false => Next::End,
    };
    Ok(page)
}

fn refused(code: i64, said: &Value) -> Failure {
    let words = message(said);
    let says = |clues: &[&str]| clues.iter().any(|clue| words.contains(clue));
    let (outcome, advice) = if LOGIN_CODES.contains(&code) || says(&["登录", "登陆"]) {
        (Outcome::LoginNeeded, "the session is over; scan again with the phone and write the credential anew")
    } else if says(&["频繁", "过快"]) {
        (Outcome::RateLimited, "asked too often; it will be asked again later")
    } else if says(&["封禁", "封号"]) {
        (Outcome::AccountBanned, "the platform hides the account; ask the office")
    } else if says(&["注销"]) {
        (Outcome::AccountCancelled, "the account is gone; correct the registry")
    } else if says(&["权限"]) {
        (Outcome::PermissionMissing, "this login may not see the posts; log in as an operator of the account")
    } else {
        (Outcome::ShapeChanged, "the code is not known; open the back office in a browser")
    };
    refusal(outcome, code, said, advice)
}

fn read(item: &Value) -> Result<Option<Drafted>, String> {
    let key = id(at(item, &["objectId"])).or_else(|| id(at(item, &["exportId"])));
    let key = key.ok_or("neither `objectId` nor `exportId`")?;
    let desc = at(item, &["desc"]);
    let words = desc.as_str().unwrap_or_else(|| text(at(desc, &["description"])));
    let body = plain::from_plain(words);
    let title = Some(heading(&body)).filter(|title| !title.is_empty()).unwrap_or_else(|| "视频号动态".to_owned());
    Ok(Some(Drafted::Public(Box::new(PostDraft {
        key,
        title,
        text_state: if body.is_empty() { TextState::None } else { TextState::Full },
        body,
        published_at: unix_time(at(item, &["createTime"])),
        ..PostDraft::default()
    }))))
}

/// Knows a saved `post_list` answer: `errCode` beside a list whose items have an `objectId` or `exportId`.
pub fn recognise(value: &Value) -> Option<Result<Saved, Failure>> {
    value.get("errCode")?;
    let data = value.get("data")?;
    let first = data.get("list").and_then(Value::as_array).and_then(|list| list.first());
    let is_post = first.is_some_and(|item| item.get("objectId").is_some() || item.get("exportId").is_some());
    let is_empty = first.is_none() && data.get("totalCount").is_some() && data.get("list").is_some();
    (is_post || is_empty).then(|| {
        parse(value).map(|page| Saved {
            shape: "channels post_list",
            kinds: &[AccountKind::WechatChannels],
            page,
            owners: Vec::new(),
        })
    })
}

#[cfg(test)]
mod tests;

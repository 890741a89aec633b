//! The open platform, authorised by the account itself (platforms.md §2.1). Pure.
//!
//! It lists the posts of the user whose token it is given, and of nobody else. Free applications are given recent posts
//! only, and long texts are cut off: such a text stays missing.

use serde_json::Value;

use super::status::{Statuses, read_all};
use crate::model::crawl::{Failure, Outcome};
use crate::source::platform::{
    Answer, Call, Context, Conversation, Gathering, Next, Step, refusal, shape_changed, wire,
};

/// Most items that the platform gives for one question.
const COUNT: &str = "100";

/// A talk with api.weibo.com.
#[derive(Debug)]
pub struct Official<'a> {
    context: Context<'a>,
    n_pages: usize,
    n_seen: usize,
    pages: Gathering,
}

impl<'a> Official<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { context, n_pages: 0, n_seen: 0, pages: Gathering::new(context.back_to) }
    }

    /// The cursor is the query that goes on: `max_id=…` or `page=…`.
    fn ask(&mut self, cursor: Option<&str>) -> Result<Call, Failure> {
        self.n_pages += 1;
        let token = self.context.secret("access_token")?;
        let uid = self.context.spec.value("uid");
        let mut query = vec![("access_token", token), ("uid", uid), ("count", COUNT), ("feature", "0")];
        query.extend(cursor.and_then(|cursor| cursor.split_once('=')));
        Ok(Call::get(self.context.url_with("2/statuses/user_timeline.json", &query)?))
    }
}

impl Conversation for Official<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask(None)
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let mut page = parse(&answer.json()?, self.context.spec.value("uid"))?.page;
        self.n_seen += page.n_items;
        // Where no id leads on, pages are counted, as long as the counter says that there are more.
        let has_more = page.total.is_some_and(|total| (self.n_seen as u64) < total);
        if page.next == Next::Unknown && has_more && page.n_items > 0 {
            page.next = Next::Cursor(format!("page={}", self.n_pages + 1));
        } else if page.next == Next::Unknown && page.total.is_some() && !has_more {
            page.next = Next::End;
        }
        if let Some(cursor) = self.pages.add(page) {
            return self.ask(Some(&cursor)).map(Step::Ask);
        }
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Ok(Step::Done(pages.finish()))
    }
}

/// One page of `user_timeline`.
pub fn parse(value: &Value, uid: &str) -> Result<Statuses, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let list = wire::at(value, &["statuses"]).as_array();
    let list = list.ok_or_else(|| shape_changed("the answer holds no `statuses`"))?;
    let older = ["max_id", "next_cursor"].iter().find_map(|name| wire::id(wire::at(value, &[name])));
    let next = match older.filter(|id| id != "0") {
        Some(id) => Next::Cursor(format!("max_id={id}")),
        None => Next::Unknown,
    };
    let bare: Vec<(&Value, bool)> = list.iter().map(|status| (status, false)).collect();
    let mut statuses = read_all(&bare, uid, next);
    // Beside an empty list the counter is part of the same answer, which shows recent posts only: no second signal.
    if statuses.page.n_items > 0 {
        statuses.page.total = wire::counter(wire::at(value, &["total_number"]));
    }
    Ok(statuses)
}

/// What the error code of an answer means; `None`: it has none.
pub fn refused(value: &Value) -> Option<Failure> {
    let code = wire::number(wire::at(value, &["error_code"]))?;
    let (outcome, advice) = match code {
        10001..=10003 | 10011 => (Outcome::ServerError, "the platform is in trouble; it will be asked again"),
        10004 => (Outcome::IpNotAllowed, "add this machine's address to the application's list"),
        10005 | 10014 => (Outcome::PermissionMissing, "the application may not use this interface; ask for it"),
        10009 | 10022..=10024 => (Outcome::RateLimited, "asked too often; slow down"),
        10013 | 21301..=21319 | 21327 | 21332 => {
            (Outcome::LoginNeeded, "the token is no longer good; let the account authorise the application again")
        }
        20003 => (Outcome::NotFound, "there is no such account; check `uid`"),
        21335 => (Outcome::PermissionMissing, "the token belongs to another account; `uid` itself must authorise"),
        _ => (Outcome::ShapeChanged, "look the code up in the platform's list of errors"),
    };
    Some(refusal(outcome, code, wire::at(value, &["error"]), advice))
}

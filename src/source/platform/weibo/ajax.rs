//! weibo.com as its own scripts ask it, with the cookie of somebody who logged in (platforms.md §2.2). Pure.
//!
//! The list goes on with a `since_id` that is opaque text (`4857532763609089kp2`). Texts above 140 characters are cut
//! off and asked for one by one. An empty list proves nothing by itself: the profile is asked for its counter, and it
//! also tells whether the account is hidden or cancelled.

use serde_json::Value;

use super::long::LongTexts;
use super::status::{Statuses, read_all};
use super::{Account, account, advice, data, refused, site_call, verdict};
use crate::model::crawl::{Failure, Outcome};
use crate::source::platform::{
    Answer, Call, Context, Conversation, Gathering, Next, Step, message, shape_changed, wire,
};

/// Most texts asked for in one conversation, beside ten pages and a profile.
const LONG_TEXTS_MAX: usize = 30;

/// A talk with weibo.com.
#[derive(Debug)]
pub struct Ajax<'a> {
    context: Context<'a>,
    asked: Asked,
    n_pages: usize,
    pages: Gathering,
    long: LongTexts,
}

/// What the last question was.
#[derive(Debug)]
enum Asked {
    List,
    LongText,
    /// Why the list is empty, or refused with this failure.
    Profile(Option<Failure>),
}

impl<'a> Ajax<'a> {
    pub fn new(context: Context<'a>) -> Self {
        let pages = Gathering::new(context.back_to);
        Self { context, asked: Asked::List, n_pages: 0, pages, long: LongTexts::new(LONG_TEXTS_MAX) }
    }

    fn uid(&self) -> &'a str {
        self.context.spec.value("uid")
    }

    fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Call, Failure> {
        site_call(self.context, self.context.url_with(path, query)?, &format!("u/{}", self.uid()))
    }

    fn ask_list(&mut self, since_id: &str) -> Result<Call, Failure> {
        self.asked = Asked::List;
        self.n_pages += 1;
        let page = self.n_pages.to_string();
        let mut query = vec![("uid", self.uid()), ("page", page.as_str()), ("feature", "0")];
        if !since_id.is_empty() {
            query.push(("since_id", since_id));
        }
        self.call("ajax/statuses/mymblog", &query)
    }

    fn ask_profile(&mut self, behind: Option<Failure>) -> Result<Step, Failure> {
        self.asked = Asked::Profile(behind);
        self.call("ajax/profile/info", &[("uid", self.uid())]).map(Step::Ask)
    }

    fn take_list(&mut self, value: &Value) -> Result<Step, Failure> {
        let is_first = self.n_pages == 1;
        let statuses = match parse_list(value, self.uid()) {
            Ok(statuses) => statuses,
            // A refusal in the list's own words may be about the account: its profile says so plainly.
            Err(failure) if is_first && may_be_about_account(value, failure.outcome) => {
                return self.ask_profile(Some(failure));
            }
            Err(failure) => return Err(failure),
        };
        if is_first && statuses.page.n_items == 0 {
            return self.ask_profile(None);
        }
        self.long.begin(statuses, self.context.back_to);
        self.go_on()
    }

    fn go_on(&mut self) -> Result<Step, Failure> {
        if let Some(bid) = self.long.next().and_then(super::bid_of_mid) {
            self.asked = Asked::LongText;
            return self.call("ajax/statuses/longtext", &[("id", &bid)]).map(Step::Ask);
        }
        match self.pages.add(self.long.finish()) {
            Some(since_id) => self.ask_list(&since_id).map(Step::Ask),
            None => Ok(self.done()),
        }
    }

    fn done(&mut self) -> Step {
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Step::Done(pages.finish())
    }
}

impl Conversation for Ajax<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.context.secret("cookie")?;
        self.ask_list("")
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        match std::mem::replace(&mut self.asked, Asked::List) {
            Asked::List => self.take_list(&data(answer)?),
            Asked::LongText => {
                self.long.take(data(answer).and_then(|value| parse_long_text(&value)));
                self.go_on()
            }
            Asked::Profile(behind) => {
                let account = parse_profile(&data(answer)?)?;
                if let Some(failure) = behind {
                    return Err(failure);
                }
                if let Some(n_statuses) = account.n_statuses {
                    self.pages.set_total(n_statuses);
                }
                self.pages.set_profile(account.profile);
                Ok(self.done())
            }
        }
    }
}

/// `ok: 0` says that the question was understood; a login, a captcha or haste are no matter of the account.
fn may_be_about_account(value: &Value, outcome: Outcome) -> bool {
    wire::number(wire::at(value, &["ok"])) == Some(0)
        && !matches!(outcome, Outcome::RateLimited | Outcome::LoginNeeded | Outcome::Captcha)
}

/// One page of `mymblog`.
pub fn parse_list(value: &Value, uid: &str) -> Result<Statuses, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let list = wire::at(value, &["data", "list"]).as_array();
    let list = list.ok_or_else(|| shape_changed("the answer claims success and holds no `data.list`"))?;
    let since_id = wire::at(value, &["data", "since_id"]);
    let next = match wire::id(since_id) {
        Some(since_id) if since_id != "0" => Next::Cursor(since_id),
        Some(_) => Next::End,
        // An empty one ends the list; a missing one says nothing.
        None if since_id.as_str().is_some() => Next::End,
        None => Next::Unknown,
    };
    let bare: Vec<(&Value, bool)> = list.iter().map(|status| (status, false)).collect();
    let mut statuses = read_all(&bare, uid, next);
    // The counter beside an empty list is part of the same answer, and no second signal.
    if !list.is_empty() {
        statuses.page.total = wire::counter(wire::at(value, &["data", "total"]));
    }
    Ok(statuses)
}

/// `None`: there is no longer text.
pub fn parse_long_text(value: &Value) -> Result<Option<String>, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let text = wire::text(wire::at(value, &["data", "longTextContent"]));
    Ok((!text.trim().is_empty()).then(|| text.to_owned()))
}

/// The profile, or what the platform says instead of showing the account.
fn parse_profile(value: &Value) -> Result<Account, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let block = message(wire::at(value, &["data", "blockText"]));
    if let Some(outcome) = verdict(&block).filter(|outcome| outcome.is_about_account()) {
        return Err(Failure::new(outcome, format!("the profile says `{block}`: {}", advice(outcome))));
    }
    let account = account(wire::at(value, &["data", "user"]));
    if account.profile.platform_id.is_none() {
        return Err(shape_changed("the profile holds no `data.user`"));
    }
    if !block.is_empty() && account.n_statuses != Some(0) {
        let detail = format!("the profile says `{block}` and the list is empty; look at the account in a browser");
        return Err(Failure::new(Outcome::PermissionMissing, detail));
    }
    Ok(account)
}

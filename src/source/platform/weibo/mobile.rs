//! m.weibo.cn as its own scripts ask it, with or without a cookie (platforms.md §2.3). Pure.
//!
//! A visitor is shown fewer posts, or none, and the site says so in no word: `ok: 1` without a card, or `ok: 0`
//! "这里还没有内容", which is also what it says of cancelled accounts and of wrong uids. So whenever the first page is
//! empty the profile is asked, and only its counter of zero makes an empty list of it. Everything else is a failure.

use serde_json::Value;

use super::ajax::parse_long_text;
use super::long::LongTexts;
use super::status::{Statuses, read_all};
use super::{Account, account, advice, data, refused, site_call, verdict};
use crate::model::crawl::{Failure, Outcome};
use crate::source::platform::{
    Answer, Call, Context, Conversation, Gathering, Next, Page, Step, message, shape_changed, wire,
};

/// Most texts asked for in one conversation: the site is asked every eight seconds only.
const LONG_TEXTS_MAX: usize = 10;
/// What the id of an account's list begins with.
const LIST_PREFIX: &str = "107603";

/// A talk with m.weibo.cn.
#[derive(Debug)]
pub struct Mobile<'a> {
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
    /// Why there is nothing on the first page.
    Profile,
}

impl<'a> Mobile<'a> {
    pub fn new(context: Context<'a>) -> Self {
        let pages = Gathering::new(context.back_to);
        Self { context, asked: Asked::List, n_pages: 0, pages, long: LongTexts::new(LONG_TEXTS_MAX) }
    }

    fn uid(&self) -> &'a str {
        self.context.spec.value("uid")
    }

    fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Call, Failure> {
        let url = self.context.url_with(path, query)?;
        Ok(site_call(self.context, url, &format!("u/{}", self.uid()))?.header("mweibo-pwa", "1"))
    }

    /// The cursor is the query that the last page named: `since_id=…` or `page=…`.
    fn ask_list(&mut self, cursor: Option<&str>) -> Result<Call, Failure> {
        self.asked = Asked::List;
        self.n_pages += 1;
        let list = format!("{LIST_PREFIX}{}", self.uid());
        let mut query = vec![("type", "uid"), ("value", self.uid()), ("containerid", list.as_str())];
        query.extend(cursor.and_then(|cursor| cursor.split_once('=')));
        self.call("api/container/getIndex", &query)
    }

    fn take_list(&mut self, value: &Value) -> Result<Step, Failure> {
        let is_first = self.n_pages == 1;
        let statuses = match parse_list(value, self.uid())? {
            List::Statuses(statuses) => statuses,
            List::Nothing => Statuses::default(),
        };
        if is_first && statuses.page.n_items == 0 {
            self.asked = Asked::Profile;
            let query = [("type", "uid"), ("value", self.uid())];
            return self.call("api/container/getIndex", &query).map(Step::Ask);
        }
        self.long.begin(statuses, self.context.back_to);
        self.go_on()
    }

    fn go_on(&mut self) -> Result<Step, Failure> {
        if let Some(mid) = self.long.next() {
            let call = self.call("statuses/extend", &[("id", mid)])?;
            self.asked = Asked::LongText;
            return Ok(Step::Ask(call));
        }
        match self.pages.add(self.long.finish()) {
            Some(cursor) => self.ask_list(Some(&cursor)).map(Step::Ask),
            None => Ok(self.done()),
        }
    }

    fn done(&mut self) -> Step {
        let pages = std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to));
        Step::Done(pages.finish())
    }
}

impl Conversation for Mobile<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.ask_list(None)
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        match self.asked {
            Asked::List => self.take_list(&data(answer)?),
            Asked::LongText => {
                self.long.take(data(answer).and_then(|value| parse_long_text(&value)));
                self.go_on()
            }
            Asked::Profile => {
                let account = parse_profile(&data(answer)?)?;
                confirm_empty(&account)?;
                self.pages.add(Page { total: account.n_statuses, profile: Some(account.profile), ..Page::default() });
                Ok(self.done())
            }
        }
    }
}

/// Only a counter of zero makes an empty list of an empty page.
fn confirm_empty(account: &Account) -> Result<(), Failure> {
    match account.n_statuses {
        Some(0) => Ok(()),
        Some(n_statuses) => {
            let detail = format!(
                "the list is empty although the profile counts {n_statuses} posts: the site hides them from this \
                 visitor; give the source a cookie, or use weibo_ajax"
            );
            Err(Failure::new(Outcome::RateLimited, detail))
        }
        None => Err(shape_changed("the list is empty and the profile has no `statuses_count` to confirm it")),
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    Statuses(Statuses),
    /// "这里还没有内容": nothing here, or nothing more, or no such account.
    Nothing,
}

/// One page of `getIndex`.
pub fn parse_list(value: &Value, uid: &str) -> Result<List, Failure> {
    if says_nothing_here(value) {
        return Ok(List::Nothing);
    }
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let cards = wire::at(value, &["data", "cards"]).as_array();
    let cards = cards.ok_or_else(|| shape_changed("the answer claims success and holds no `data.cards`"))?;
    let info = wire::at(value, &["data", "cardlistInfo"]);
    let mut statuses = read_cards(&cards.iter().collect::<Vec<_>>(), uid, next(info));
    if statuses.page.n_items > 0 {
        statuses.page.total = wire::counter(wire::at(info, &["total"]));
    }
    Ok(List::Statuses(statuses))
}

fn next(info: &Value) -> Next {
    let cursor = |name: &str| {
        let value = wire::id(wire::at(info, &[name])).filter(|value| value != "0")?;
        Some(Next::Cursor(format!("{name}={value}")))
    };
    let ended = if info.is_object() { Next::End } else { Next::Unknown };
    cursor("since_id").or_else(|| cursor("page")).unwrap_or(ended)
}

/// Reads the statuses in cards.
pub fn read_cards(cards: &[&Value], uid: &str, next: Next) -> Statuses {
    read_all(&statuses_of(cards), uid, next)
}

/// The statuses in cards and in the cards of groups, each with whether its card is pinned; cards of other kinds show
/// something else. Even a damaged status takes its place.
pub fn statuses_of<'v>(cards: &[&'v Value]) -> Vec<(&'v Value, bool)> {
    let grouped = cards.iter().flat_map(|card| match wire::at(card, &["card_group"]).as_array() {
        Some(group) => group.iter().collect(),
        None => vec![*card],
    });
    let is_pinned = |card: &Value| wire::text(wire::at(card, &["profile_type_id"])).starts_with("proweibotop_");
    grouped.filter_map(|card| Some((card.get("mblog")?, is_pinned(card)))).collect()
}

fn says_nothing_here(value: &Value) -> bool {
    wire::number(wire::at(value, &["ok"])) == Some(0)
        && message(wire::at(value, &["msg"])).contains("没有内容")
        && wire::text(wire::at(value, &["url"])).is_empty()
}

/// The profile, or what the platform says instead of showing the account.
pub fn parse_profile(value: &Value) -> Result<Account, Failure> {
    if says_nothing_here(value) {
        let detail = "neither list nor profile shows anything: the account is cancelled or the uid is wrong; look at it \
                      in a browser";
        return Err(Failure::new(Outcome::NotFound, detail));
    }
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let words = message(wire::at(value, &["msg"]));
    if let Some(outcome) = verdict(&words).filter(|outcome| outcome.is_about_account()) {
        return Err(Failure::new(outcome, format!("the profile says `{words}`: {}", advice(outcome))));
    }
    let account = account(wire::at(value, &["data", "userInfo"]));
    if account.profile.platform_id.is_none() {
        let detail = "the profile holds no `data.userInfo`: the account is cancelled or the uid is wrong, or the site \
                      hides it from this visitor; look at it in a browser";
        return Err(Failure::new(Outcome::NotFound, detail));
    }
    Ok(account)
}

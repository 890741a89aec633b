//! WeChat's official API (platforms.md §1.1), with the account's `AppID` and `AppSecret`, from an address on its whitelist.
//!
//! Three questions: an access token, which is kept until five minutes before its end; `freepublish/batchget`, page by
//! page, with the whole text; and the statistics of the days before ([`super::datacube`]). `batchget` lists what was
//! published by 发布 only, so neither its end nor its `total_count` proves anything; the statistics report the articles
//! of 群发 too, one day late, and prove whole days. An account without the right to the statistics is still listed.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::datacube::{self, Days, Report};
use super::{Entry, Sheet, article_url, draft};
use crate::model::crawl::{Failure, Listing, Outcome};
use crate::model::post::TextState;
use crate::source::feed::repeats_title;
use crate::source::link::canonical_key;
use crate::source::platform::{
    Answer, Call, Context, Conversation, Gathering, Next, Note, Page, Step, refusal, shape_changed, wire,
};
use crate::source::text::{self, Newlines};

/// Items of one answer, of at most 20: each holds the whole texts of up to eight articles, and a body has its limit.
const COUNT: u64 = 10;
/// WeChat makes a new token this long before the end of the old one.
const TOKEN_MARGIN: TimeDelta = TimeDelta::minutes(5);
/// Codes of a token that is bad, or no longer good.
const TOKEN_CODES: [i64; 3] = [40_001, 40_014, 42_001];

/// A talk with the official API.
pub struct Official<'a> {
    context: Context<'a>,
    token: Token,
    /// The last question was for a token; [`Self::question`] comes after it.
    token_is_asked: bool,
    question: Question,
    note: Option<Note>,
    pages: Gathering,
    /// `batchget` says that there are items, and gave none.
    list_is_hollow: bool,
}

struct Token {
    text: String,
    /// It comes from an earlier talk and may have been replaced since.
    is_noted: bool,
}

#[derive(Clone, Copy, Debug)]
enum Question {
    List { offset: u64 },
    Days(Days),
}

impl<'a> Official<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self {
            token: Token { text: context.note.unwrap_or_default().to_owned(), is_noted: context.note.is_some() },
            token_is_asked: false,
            question: Question::List { offset: 0 },
            note: None,
            pages: Gathering::new(context.back_to),
            list_is_hollow: false,
            context,
        }
    }

    fn ask_token(&mut self) -> Result<Call, Failure> {
        self.token_is_asked = true;
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.context.secret("appid")?,
            "secret": self.context.secret("secret")?,
            "force_refresh": false,
        });
        Ok(Call::post(self.context.url("cgi-bin/stable_token")?, body))
    }

    fn ask(&self) -> Result<Call, Failure> {
        let (path, body) = match self.question {
            Question::List { offset } => {
                ("cgi-bin/freepublish/batchget", json!({"offset": offset, "count": COUNT, "no_content": 0}))
            }
            Question::Days(days) => {
                let day = |date: chrono::NaiveDate| date.format("%Y-%m-%d").to_string();
                ("datacube/getarticletotaldetail", json!({"begin_date": day(days.first), "end_date": day(days.last)}))
            }
        };
        Ok(Call::post(self.context.url_with(path, &[("access_token", &self.token.text)])?, body))
    }

    fn take_token(&mut self, value: &Value) -> Result<Step, Failure> {
        if let Some((_, failure)) = api_refusal(value) {
            return Err(failure);
        }
        let token = wire::text(wire::at(value, &["access_token"]));
        let Some(lasts_s) = wire::number(wire::at(value, &["expires_in"])).filter(|_| !token.is_empty()) else {
            return Err(shape_changed("the answer has no `access_token` with `expires_in`"));
        };
        let lasts = TimeDelta::try_seconds(lasts_s).unwrap_or_default();
        self.token = Token { text: token.to_owned(), is_noted: false };
        let until = self.context.now.checked_add_signed(lasts).map(|end| end - TOKEN_MARGIN);
        let until = until.filter(|until| self.context.now < *until);
        self.note = until.map(|until| Note { text: token.to_owned(), until });
        self.token_is_asked = false;
        self.ask().map(Step::Ask)
    }

    fn take_list(&mut self, value: &Value, offset: u64) -> Result<Step, Failure> {
        let page = parse_list(value, Some(offset))?;
        self.list_is_hollow |= page.n_items == 0 && page.next != Next::End;
        if let Some(offset) = self.pages.add(page) {
            let offset = offset.parse().map_err(|_| shape_changed("the list has no next offset"))?;
            self.question = Question::List { offset };
            return self.ask().map(Step::Ask);
        }
        match Days::before(self.context.now, self.context.back_to) {
            Some(days) => {
                self.question = Question::Days(days);
                self.ask().map(Step::Ask)
            }
            None => Ok(Step::Done(self.finish())),
        }
    }

    fn finish(&mut self) -> Listing {
        std::mem::replace(&mut self.pages, Gathering::new(self.context.back_to)).finish()
    }
}

impl std::fmt::Debug for Official<'_> {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { token_is_asked, question, .. } = self;
        f.debug_struct("Official")
            .field("token_is_asked", token_is_asked)
            .field("question", question)
            .finish_non_exhaustive()
    }
}

impl Conversation for Official<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        if self.token.is_noted { self.ask() } else { self.ask_token() }
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let value = answer.json()?;
        if self.token_is_asked {
            return self.take_token(&value);
        }
        if let Some((code, failure)) = api_refusal(&value) {
            if self.token.is_noted && TOKEN_CODES.contains(&code) {
                return self.ask_token().map(Step::Ask);
            }
            // Many accounts lack the right to the statistics: their list still stands, and proves nothing.
            let lacks_statistics =
                matches!(self.question, Question::Days(_)) && failure.outcome == Outcome::PermissionMissing;
            return if lacks_statistics { Ok(Step::Done(self.finish())) } else { Err(failure) };
        }
        match self.question {
            Question::List { offset } => self.take_list(&value, offset),
            Question::Days(days) => {
                let report = Report::parse(&value)?;
                let mut listing = self.finish();
                datacube::reconcile(&mut listing, report, days, !self.list_is_hollow);
                Ok(Step::Done(listing))
            }
        }
    }

    fn note(&mut self) -> Option<Note> {
        self.note.take()
    }
}

/// Reads an answer of `freepublish/batchget`. `offset`: what was asked; `None`: not known, as in a saved answer.
///
/// The counter stays here: it counts one kind of articles, so 0 would not prove that nothing was published.
pub(super) fn parse_list(value: &Value, offset: Option<u64>) -> Result<Page, Failure> {
    if let Some((_, failure)) = api_refusal(value) {
        return Err(failure);
    }
    let Some(items) = wire::at(value, &["item"]).as_array() else {
        return Err(shape_changed("the answer has no list `item`"));
    };
    let mut sheet = Sheet::default();
    for item in items {
        let updated = wire::at(item, &["update_time"]);
        match wire::items(wire::at(item, &["content", "news_item"])) {
            Some(articles) => articles.into_iter().for_each(|article| sheet.add(read_article(article, updated))),
            None => sheet.add(Err("has no list `news_item`".to_owned())),
        }
    }
    let total = wire::counter(wire::at(value, &["total_count"]));
    let next = match (offset.and_then(|offset| offset.checked_add(items.len() as u64)), total) {
        (Some(seen), Some(total)) if seen >= total => Next::End,
        (Some(seen), Some(_)) if !items.is_empty() => Next::Cursor(seen.to_string()),
        _ => Next::Unknown,
    };
    Ok(sheet.into_page(next))
}

/// `update_time` is the publish time until the article is edited; the statistics tell the day of an edited one.
fn read_article(article: &Value, updated: &Value) -> Result<Entry, String> {
    let text = |name: &str| wire::text(wire::at(article, &[name]));
    let url = article_url(text("url"));
    // Both spellings are in use.
    if ["is_deleted", "is_delete"].into_iter().any(|name| wire::flag(wire::at(article, &[name]))) {
        return Ok(Entry::Deleted(url.ok().map(|url| canonical_key(&url))));
    }
    let url = url?;
    let extract = text::from_html(text("content"), &url, Newlines::Fold);
    let mut post = draft(url, text("title"));
    if !repeats_title(&post.title, &extract.body) {
        post.text_state = TextState::Full;
        post.body = extract.body;
        post.links = extract.links;
    }
    post.published_at = wire::unix_time(updated);
    Ok(Entry::Post(Box::new(post)))
}

/// The refusal in an answer of api.weixin.qq.com: an `errcode` other than 0; an answer that is well has none.
fn api_refusal(value: &Value) -> Option<(i64, Failure)> {
    let code = wire::number(wire::at(value, &["errcode"])).filter(|code| *code != 0)?;
    let (outcome, advice) = match code {
        -1 => (Outcome::ServerError, "WeChat is busy; it will be asked again"),
        40_001 | 40_014 | 42_001 | 41_001 => (
            Outcome::LoginNeeded,
            "the access token is refused; look whether another program asks for tokens with force_refresh",
        ),
        40_013 | 41_002 => (Outcome::LoginNeeded, "write the right `appid` into the credential"),
        40_125 | 41_004 => (Outcome::LoginNeeded, "write the right `secret` into the credential, or reset it"),
        40_164 | 61_004 | 89_503 => {
            (Outcome::IpNotAllowed, "add this machine's address to the IP whitelist in the back office of the account")
        }
        48_001 | 48_004 | 50_002 => (
            Outcome::PermissionMissing,
            "the account has no right to this interface; it must be verified, else use another source",
        ),
        45_009 | 45_011 => (Outcome::RateLimited, "the quota is used up; it comes back in a minute or at midnight"),
        _ => (Outcome::ShapeChanged, "not a known code; look it up in the WeChat documentation"),
    };
    Some((code, refusal(outcome, code, wire::at(value, &["errmsg"]), advice)))
}

//! The back office's list of the account's own posts, with the owner's login cookie (platforms.md §5).
//!
//! Pages are counted by the items so far, and there is no counter. The question asks for published items (`status` 8).
//! What the numbers of `itemStatus` mean is known from one tool only, so an item that they call unpublished is neither a
//! post nor passed over: it is reported, and takes the proof away. An item whose publish time is zero is no post.
//! Last it is asked who is logged in: the cookie of another account must not list that one's posts here.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Kind, Told, draft, is_repost, of_links};
use crate::model::crawl::{BadItem, Failure, Listing, Outcome, Profile};
use crate::model::post::PostDraft;
use crate::source::platform::{
    Answer, Call, Context, Conversation, Gathering, Next, Page, Step, kit, refusal, shape_changed, wire,
};

const LIST: &str = "api/feed/mp_provider/v1/";
const USER: &str = "mp/agw/creator_center/user_info?app_id=1231";
const REFERER: &str = "https://mp.toutiao.com/profile_v4/manage/content/all";
/// Posts of one page, as the page itself asks.
const PAGE_ITEMS: usize = 20;
const KINDS_ASKED: &str = r#"{"repost":1,"small_video":1,"toutiao_graphic":1,"weitoutiao":1,"xigua_video":1}"#;
/// The code of a question without a signature; some got their list beside it all the same.
const UNSIGNED: i64 = 20100;
/// `itemStatus` of items in review, and of refused ones.
const UNPUBLISHED: [i64; 4] = [1, 10, 3, 30];

/// The talk with the back office.
#[derive(Debug)]
pub struct Backend<'a> {
    context: Context<'a>,
    turn: Turn,
    n_items: usize,
    keys: HashSet<String>,
}

#[derive(Debug)]
enum Turn {
    List(Gathering),
    /// Who is logged in.
    User(Listing),
}

impl<'a> Backend<'a> {
    pub fn new(context: Context<'a>) -> Self {
        let turn = Turn::List(Gathering::new(context.back_to));
        Self { context, turn, n_items: 0, keys: HashSet::new() }
    }

    fn call(&self, path: &str, query: &[(&str, &str)]) -> Result<Call, Failure> {
        let cookie = self.context.secret("cookie")?;
        let mut url = self.context.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Call::get(url).header("cookie", cookie).header("referer", REFERER))
    }

    fn page(&self, offset: &str) -> Result<Call, Failure> {
        let index = self.n_items / PAGE_ITEMS + 1;
        let extra = json!({
            "category": "mp_all", "real_app_id": "1231", "need_forward": "true", "offset_mode": "1",
            "page_index": index.to_string(), "status": "8", "source": "0",
        });
        let (extra, count) = (extra.to_string(), PAGE_ITEMS.to_string());
        let query = [
            ("provider_type", "mp_provider"),
            ("aid", "13"),
            ("app_name", "news_article"),
            ("category", "mp_all"),
            ("channel", ""),
            ("stream_api_version", "88"),
            ("genre_type_switch", KINDS_ASKED),
            ("device_platform", "pc"),
            ("platform_id", "0"),
            ("visited_uid", self.context.spec.value("uid")),
            ("offset", offset),
            ("count", &count),
            ("keyword", ""),
            ("app_id", "1231"),
            ("client_extra_params", &extra),
        ];
        self.call(LIST, &query)
    }

    fn take_page(&mut self, answer: &Answer, mut pages: Gathering) -> Result<Step, Failure> {
        let mut page = parse(&answer.json()?, self.n_items)?;
        self.n_items += page.n_items;
        let n_new = page.posts.iter().filter(|post| self.keys.insert(post.key.clone())).count();
        if n_new == 0 && !page.posts.is_empty() {
            // The offset grows with every page, so that it does not show that they repeat themselves.
            let reason = "the platform gave the same page twice".to_owned();
            page.bad_items.push(BadItem { index: page.n_items, reason });
            page.next = Next::Unknown;
        }
        if let Some(offset) = pages.add(page) {
            self.turn = Turn::List(pages);
            return Ok(Step::Ask(self.page(&offset)?));
        }
        self.turn = Turn::User(pages.finish());
        Ok(Step::Ask(self.call(USER, &[])?))
    }

    /// Whether the login is this account's. A list that was read stands without that answer; an empty one does not,
    /// since it may be what a visitor is shown.
    fn take_user(&self, answer: &Answer, mut listing: Listing) -> Result<Step, Failure> {
        match answer.json().and_then(|value| user(&value)) {
            Ok(profile) => {
                let asked = self.context.spec.value("uid");
                if profile.platform_id.as_deref().is_some_and(|id| id != asked) {
                    let detail = "the cookie is of another account than the source's `uid`; log in as that account";
                    return Err(Failure::new(Outcome::PermissionMissing, detail));
                }
                listing.profile = Some(profile);
            }
            Err(failure) if listing.posts.is_empty() => return Err(failure),
            Err(_) => {}
        }
        Ok(Step::Done(listing))
    }
}

impl Conversation for Backend<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        self.page("0")
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let turn = std::mem::replace(&mut self.turn, Turn::List(Gathering::new(self.context.back_to)));
        match turn {
            Turn::List(pages) => self.take_page(answer, pages),
            Turn::User(listing) => self.take_user(answer, listing),
        }
    }
}

/// One page that stands behind `n_before` items.
pub fn parse(value: &Value, n_before: usize) -> Result<Page, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let items = wire::at(value, &["data"]).as_array();
    if items.is_none_or(Vec::is_empty) && wire::number(wire::at(value, &["errno"])) == Some(UNSIGNED) {
        return Err(unsigned(value));
    }
    let Some(items) = items else {
        let detail = "success without a list of posts, as visitors get it; log in again";
        return Err(if value.get("data").is_none_or(Value::is_null) && value.is_object() {
            Failure::new(Outcome::LoginNeeded, detail)
        } else {
            shape_changed("the answer has no list of posts")
        });
    };
    let items: Vec<&Value> = items.iter().collect();
    let (posts, mut bad_items) = wire::read_items(&items, read);
    let has_more = wire::at(value, &["has_more"]);
    let next = match (wire::flag(has_more), has_more.is_null()) {
        (true, _) => Next::Cursor((n_before + items.len()).to_string()),
        (false, true) => Next::Unknown,
        (false, false) => Next::End,
    };
    if items.is_empty() && wire::flag(has_more) {
        let reason = "an empty page although the platform says that there is more".to_owned();
        bad_items.push(BadItem { index: 1, reason });
    }
    Ok(Page { posts, bad_items, n_items: items.len(), next, ..Page::default() })
}

fn unsigned(value: &Value) -> Failure {
    let advice = "it wants a signature that only its page computes; import the list that a browser saved";
    refusal(Outcome::PermissionMissing, UNSIGNED, wire::at(value, &["message"]), advice)
}

fn refused(value: &Value) -> Option<Failure> {
    let code = ["errno", "code", "err_no"].iter().find_map(|key| wire::number(wire::at(value, &[key])));
    let said = Value::from(kit::first_text(["message", "msg", "reason", "err_msg"].map(|key| wire::at(value, &[key]))));
    match code {
        Some(code) if !matches!(code, 0 | UNSIGNED) => {
            let outcome = kit::outcome_said(&said).unwrap_or(Outcome::ShapeChanged);
            Some(refusal(outcome, code, &said, kit::advice(outcome)))
        }
        None if said == "error" => Some(shape_changed("the platform answered `error`")),
        _ => None,
    }
}

fn read(item: &Value) -> Result<Option<PostDraft>, String> {
    let cell = wire::at(item, &["assembleCell", "itemCell"]);
    let at = |path: &[&str]| wire::at(cell, path);
    let links = [at(&["shareInfo", "shareURL"]), at(&["articleBase", "articleURL"])];
    let (of_link, key) = of_links(links).ok_or("the item has no link with an id")?;
    let status = wire::number(at(&["articleBase", "itemStatus"]));
    if let Some(status) = status.filter(|status| UNPUBLISHED.contains(status)) {
        return Err(format!("the item {key} is in review or refused (`itemStatus` {status})"));
    }
    let is_video = at(&["videoInfo"]).as_object().is_some_and(|video| !video.is_empty());
    let kind = if is_video && of_link == Kind::Article { Kind::Video } else { of_link };
    let title = kit::first_text([
        at(&["articleBase", "title"]),
        at(&["shareInfo", "shareTitle"]),
        at(&["videoInfo", "title"]),
        at(&["richContentInfo", "title"]),
    ]);
    // A micro post has no title: what stands there is a part of its text.
    let title = if kind == Kind::Micro { "" } else { title };
    let text = kit::first_text([
        at(&["articleBase", "content"]),
        at(&["richContentInfo", "richContent"]),
        at(&["articleBase", "abstractText"]),
    ]);
    let post = draft(key, Told { kind, title, text, published: at(&["articleBase", "publishTime"]) })?;
    Ok(post.map(|post| PostDraft {
        original: !is_repost(cell),
        pinned: wire::flag(at(&["articleBase", "isStick"])),
        ..post
    }))
}

/// Who is logged in.
fn user(value: &Value) -> Result<Profile, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let user = if value.get("user_id").is_some() { value } else { wire::at(value, &["data"]) };
    let Some(id) = wire::id(wire::at(user, &["user_id"])) else {
        let detail = "the back office does not say who is logged in; log in again";
        return Err(Failure::new(Outcome::LoginNeeded, detail));
    };
    let name = kit::one_line(wire::text(wire::at(user, &["name"])), 100);
    Ok(Profile { name: (!name.is_empty()).then_some(name), verified: None, platform_id: Some(id) })
}

//! Saved answers of WeChat: of the official API, the back office, albums, and of two lists that are closed to programs
//! since 2026 but may still be saved from a phone or a browser (platforms.md §1.3).

use serde_json::Value;

use super::album::{self, Place};
use super::{Entry, KINDS, Sheet, accounts_of, article_url, backend, draft, listed_article, official, page_refusal};
use crate::model::crawl::{Failure, Outcome};
use crate::source::link::canonical_key;
use crate::source::platform::saved::Saved;
use crate::source::platform::{Next, Page, refusal, shape_changed, wire};

/// A push of articles among the messages of an account.
const ARTICLES_TYPE: i64 = 49;
/// The `del_flag` of a deleted article; others have 1.
const DELETED_FLAG: i64 = 4;

/// Recognises every shape of WeChat by keys that no other platform has.
pub fn recognise(value: &Value) -> Option<Result<Saved, Failure>> {
    let has = |name: &str| value.get(name).is_some();
    let (shape, page) = if has("publish_page") {
        ("WeChat back office appmsgpublish", backend::parse(value, None, &mut None))
    } else if has("getalbum_resp") {
        ("WeChat album", album::parse(value, Place { is_first: true, is_reverse: false }))
    } else if has("app_msg_list") {
        ("WeChat back office appmsg list_ex", app_msg_list(value))
    } else if has("general_msg_list") || (has("can_msg_continue") && has("msg_count")) {
        ("WeChat profile_ext getmsg", message_list(value))
    } else if has("comm_msg_info") {
        ("WeChat profile_ext message", Ok(one(|sheet| read_message(value, sheet))))
    } else if has("aid") && has("appmsgid") && has("link") {
        ("WeChat back office article", Ok(one(|sheet| sheet.add(listed_article(value, None)))))
    } else if is_published_list(value) {
        ("WeChat freepublish batchget", official::parse_list(value, None))
    } else if wire::number(wire::at(value, &["base_resp", "ret"])).is_some_and(|ret| ret != 0) {
        ("WeChat refusal", page_refusal(value).map(|()| Page::default()))
    } else if has("errcode") && wire::text(wire::at(value, &["errmsg"])).contains("rid:") {
        ("WeChat refusal", official::parse_list(value, None))
    } else {
        return None;
    };
    Some(page.map(|page| Saved { shape, kinds: KINDS, owners: accounts_of(&page.posts), page }))
}

/// Drafts and permanent material come in the same envelope, with a `media_id` instead.
fn is_published_list(value: &Value) -> bool {
    let first = wire::at(value, &["item"]).as_array().and_then(|items| items.first());
    value.get("item_count").is_some() && first.is_some_and(|item| item.get("article_id").is_some())
}

fn one(read: impl FnOnce(&mut Sheet)) -> Page {
    let mut sheet = Sheet::default();
    read(&mut sheet);
    sheet.into_page(Next::Unknown)
}

/// `appmsg?action=list_ex`, the list of another account.
fn app_msg_list(value: &Value) -> Result<Page, Failure> {
    if value.get("base_resp").is_some() {
        page_refusal(value)?;
    }
    let Some(articles) = wire::at(value, &["app_msg_list"]).as_array() else {
        return Err(shape_changed("the answer has no list `app_msg_list`"));
    };
    Ok(one(|sheet| articles.iter().for_each(|article| sheet.add(listed_article(article, None)))))
}

/// `profile_ext?action=getmsg`, the messages of an account as a phone sees them.
fn message_list(value: &Value) -> Result<Page, Failure> {
    if let Some(code) = wire::number(wire::at(value, &["ret"])).filter(|code| *code != 0) {
        let said = wire::at(value, &["errmsg"]);
        return Err(refusal(Outcome::LoginNeeded, code, said, "open the list in WeChat again and save it anew"));
    }
    let list = wire::at(value, &["general_msg_list"]);
    let list = wire::nested(list).unwrap_or_else(|| list.clone());
    let Some(messages) = wire::at(&list, &["list"]).as_array() else {
        // Accounts that do publish answer this: success, and no list.
        let detail = "WeChat answers this list without messages, whatever the account published; use another source";
        return Err(Failure::new(Outcome::SourceClosed, detail));
    };
    Ok(one(|sheet| messages.iter().for_each(|message| read_message(message, sheet))))
}

/// The first article is `app_msg_ext_info` itself, the others are in `multi_app_msg_item_list`.
fn read_message(message: &Value, sheet: &mut Sheet) {
    let info = wire::at(message, &["comm_msg_info"]);
    let first = wire::at(message, &["app_msg_ext_info"]);
    let kind = wire::number(wire::at(info, &["type"]));
    if !first.is_object() {
        let kind = kind.filter(|kind| *kind != ARTICLES_TYPE).map(|kind| kind.to_string()).unwrap_or_default();
        return sheet.add(Err(format!("the message holds no article (type `{kind}`)")));
    }
    let others = wire::at(first, &["multi_app_msg_item_list"]).as_array();
    for article in [first].into_iter().chain(others.into_iter().flatten()) {
        sheet.add(read_message_article(article, wire::at(info, &["datetime"])));
    }
}

fn read_message_article(article: &Value, sent: &Value) -> Result<Entry, String> {
    let at = |name: &str| wire::at(article, &[name]);
    let url = article_url(wire::text(at("content_url")));
    if wire::number(at("del_flag")) == Some(DELETED_FLAG) {
        return Ok(Entry::Deleted(url.ok().map(|url| canonical_key(&url))));
    }
    let mut post = draft(url?, wire::text(at("title")));
    post.published_at = wire::unix_time(sent);
    Ok(Entry::Post(Box::new(post)))
}

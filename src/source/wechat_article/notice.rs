//! The small pages that WeChat shows where there is no article.

use scraper::{Html, Selector};

use super::ArticlePage;
use crate::model::crawl::{Failure, Outcome};
use crate::source::{page, text};

/// Most markup of a notice page, in bytes; real ones have 5,000. More is not a notice.
const MARKUP_BYTES_MAX: usize = 64 * 1024;
/// Most characters of a notice that are kept.
const NOTICE_CHARS_MAX: usize = 200;

/// Why an article is gone for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// 已被发布者删除
    DeletedByAuthor,
    /// Taken down by the platform (违规、侵权、投诉).
    TakenDown,
    /// 账号已注销
    AccountCancelled,
    /// 账号已被屏蔽
    AccountBanned,
    /// 账号已迁移
    AccountMigrated,
}

/// Reads a page without an article.
pub(super) fn read(html: &str, markup: &str) -> Result<ArticlePage, Failure> {
    let Some(notice) = notice_of(markup) else { return Err(page::unexpected(html, "a WeChat article")) };
    let Notice { title, reason } = notice;
    if let Some(failure) = failure_of(&title) {
        return Err(failure);
    }
    let notice = if reason.is_empty() { title.clone() } else { format!("{title}：{reason}") };
    if title.contains("暂时无法查看") {
        return Ok(ArticlePage::Unavailable { notice });
    }
    match gone(&title) {
        Some(reason) => Ok(ArticlePage::Gone { reason, notice }),
        None => Err(Failure::new(
            Outcome::ShapeChanged,
            format!("WeChat shows a notice that is not known: `{notice}`; open the article in a browser"),
        )),
    }
}

struct Notice {
    title: String,
    reason: String,
}

/// What stands in the place of a notice; `None` where the page has no such place.
fn notice_of(markup: &str) -> Option<Notice> {
    if markup.len() > MARKUP_BYTES_MAX {
        return None;
    }
    let document = Html::parse_document(markup);
    let words = |selector: &str| -> Option<String> {
        let selector = Selector::parse(selector).ok()?;
        let element = document.select(&selector).next()?;
        let words: String = text::line(&element.inner_html()).chars().take(NOTICE_CHARS_MAX).collect();
        (!words.is_empty()).then_some(words)
    };
    let title = words(".weui-msg .weui-msg__title").or_else(|| words(".mesg-block"))?;
    Some(Notice { title, reason: words(".weui-msg .weui-msg__desc").unwrap_or_default() })
}

/// Notices that say nothing about the article.
fn failure_of(title: &str) -> Option<Failure> {
    let (outcome, remedy) = if title.contains("环境异常") || title.contains("验证") {
        (Outcome::Captcha, "slow down in `crawl.hosts`, it will be asked again")
    } else if ["链接已过期", "参数错误"].iter().any(|words| title.contains(words)) {
        (Outcome::NotFound, "the link is wrong or was temporary; register the lasting link")
    } else {
        return None;
    };
    Some(Failure::new(outcome, format!("WeChat shows `{title}`: {remedy}")))
}

/// The account's fate comes first: "…被投诉且经审核涉嫌侵权。此帐号已注销" speaks of both.
fn gone(title: &str) -> Option<Gone> {
    let title = title.replace('帐', "账").to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| title.contains(word));
    if says(&["已注销", "自主注销"]) {
        Some(Gone::AccountCancelled)
    } else if says(&["已被屏蔽"]) {
        Some(Gone::AccountBanned)
    } else if says(&["已迁移", "账号迁移"]) {
        Some(Gone::AccountMigrated)
    } else if says(&["被发布者删除", "deleted by the author"]) {
        Some(Gone::DeletedByAuthor)
    } else if says(&["违规", "涉嫌", "投诉", "发送失败", "violat"]) {
        Some(Gone::TakenDown)
    } else {
        None
    }
}

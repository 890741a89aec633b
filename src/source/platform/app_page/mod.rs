//! A mobile application (移动客户端): its download or version page, whose address the registry gives. Pure.
//!
//! No platform lists what an application publishes, so this is a sign of life only: a page that shows the version or
//! the date which the registry's CSS selectors name, or a download that begins. Everything else says that the
//! application cannot be downloaded or used (无法下载或使用).
//!
//! A package has tens of megabytes, so only its beginning is asked for (`Range`); a server that ignores this and sends
//! all of it exceeds `crawl.body_bytes_max`, and then the registry should name the page instead of the package. A page
//! that came in part is asked for again as a whole. Redirects are followed here: download addresses lead to stores and
//! content networks.

use chrono::{DateTime, Utc};
use url::Url;

use super::{Answer, Call, Context, Conversation, Step};
use crate::model::crawl::{BadItem, Failure, Listing, Outcome};
use crate::model::post::{PostDraft, TextState};
use crate::source::html_list::{date_of, parse_selector, tree, words_of};
use crate::source::http::Scope;
use crate::source::page;

/// Most redirects followed.
const REDIRECTS_MAX: usize = 5;
/// So much of a package shows that it can be downloaded.
const RANGE: &str = "bytes=0-1023";
/// Longest version kept, in characters.
const VERSION_CHARS_MAX: usize = 60;
/// Content types of packages.
const PACKAGES: &[&str] = &["application/vnd.android.package-archive", "application/octet-stream"];
/// Key of the post that stands for a download, which names no version.
const DOWNLOAD_KEY: &str = "download";

/// Looks at the page of an application.
#[derive(Debug)]
pub struct AppPage<'a> {
    context: Context<'a>,
    asked: Vec<Url>,
    /// The whole page is asked for, since its beginning was no package.
    whole: bool,
}

impl<'a> AppPage<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self { context, asked: Vec::new(), whole: false }
    }

    fn ask(&mut self, url: Url) -> Call {
        self.asked.push(url.clone());
        let call = Call::get(url);
        if self.whole { call } else { call.header("range", RANGE) }
    }

    /// The next address of a redirect.
    fn follow(&mut self, answer: &Answer) -> Result<Step, Failure> {
        let from = self.asked.last().unwrap_or(self.context.base);
        let Some(to) = answer.location.clone().filter(|to| matches!(to.scheme(), "http" | "https")) else {
            return Err(unusable(Outcome::ShapeChanged, "it redirects without a usable address"));
        };
        Scope::Anywhere.check_hop(from, &to)?;
        if self.asked.contains(&to) || self.asked.len() > REDIRECTS_MAX {
            return Err(unusable(Outcome::ShapeChanged, "its redirects come to no end"));
        }
        Ok(Step::Ask(self.ask(to)))
    }
}

impl Conversation for AppPage<'_> {
    fn start(&mut self) -> Result<Call, Failure> {
        Ok(self.ask(self.context.base.clone()))
    }

    fn take(&mut self, answer: &Answer) -> Result<Step, Failure> {
        match answer.status {
            301 | 302 | 303 | 307 | 308 => return self.follow(answer),
            200 | 203 | 206 if is_package(answer) => return Ok(Step::Done(download())),
            // The server took the range for the page itself, or has less than it.
            206 | 416 if !self.whole => {
                self.whole = true;
                let url = self.asked.last().unwrap_or(self.context.base).clone();
                self.asked.clear();
                return Ok(Step::Ask(self.ask(url)));
            }
            200 | 203 => {}
            status => return Err(refused(status, answer.retry_at)),
        }
        self.read(&answer.text()).map(Step::Done)
    }
}

impl AppPage<'_> {
    fn read(&self, html: &str) -> Result<Listing, Failure> {
        let spec = self.context.spec;
        let (version_at, date_at) = (spec.value("version"), spec.value("date"));
        if html.trim().is_empty() {
            return Err(unusable(Outcome::ShapeChanged, "the page is empty"));
        }
        if version_at.is_empty() && date_at.is_empty() {
            return Err(instead(html, "it is no package, and the registry names no `version` and no `date` on it"));
        }
        let changed = |cause: String| unusable(Outcome::ShapeChanged, &cause);
        let document = tree(html).map_err(changed)?;
        let find = |name: &str, selector: &str| {
            if selector.is_empty() {
                return Ok(None);
            }
            let parsed = parse_selector(name, selector).map_err(changed)?;
            let found = document.select(&parsed).next();
            found.map(Some).ok_or_else(|| instead(html, &format!("`{name}`: `{selector}` finds nothing on the page")))
        };
        let version = find("version", version_at)?.map(|element| version_of(&words_of(element)));
        let date = find("date", date_at)?;
        let format = Some(spec.value("date_format")).filter(|format| !format.is_empty());
        let stamp = date.and_then(|element| date_of(element, format));
        let mut listing = Listing::default();
        if date.is_some() && stamp.is_none() {
            let words: String = date.map(words_of).unwrap_or_default().chars().take(VERSION_CHARS_MAX).collect();
            listing.bad_items.push(BadItem { index: 1, reason: format!("`date`: `{words}` is not a date") });
        }
        let day = stamp.map(|stamp| shanghai_day(stamp.at));
        let Some(name) = version.filter(|version| !version.is_empty()).or(day) else {
            return Err(instead(html, "it shows neither a version nor a date where the registry says"));
        };
        listing.posts.push(PostDraft {
            title: format!("版本 {name}"),
            key: name,
            url: Some(self.context.base.clone()),
            text_state: TextState::None,
            published_at: stamp.map(|stamp| stamp.at),
            zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
            ..PostDraft::default()
        });
        Ok(listing)
    }
}

/// The one post of a package that comes: it has no version, and no time that could count.
fn download() -> Listing {
    let post = PostDraft {
        key: DOWNLOAD_KEY.to_owned(),
        title: "安装包可以下载".to_owned(),
        text_state: TextState::None,
        ..PostDraft::default()
    };
    Listing { posts: vec![post], ..Listing::default() }
}

fn is_package(answer: &Answer) -> bool {
    let kind = answer.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    PACKAGES.contains(&kind) && !answer.bytes.is_empty()
}

/// `当前版本：V3.2.1` and `3.2.1` are one version.
fn version_of(words: &str) -> String {
    let version = ["当前版本", "最新版本", "版本号", "版本"].iter().find_map(|label| words.split_once(label));
    let version = version.map_or(words, |(_, rest)| rest);
    let version = version.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '号' | '(' | ')'));
    version.chars().take(VERSION_CHARS_MAX).collect()
}

fn shanghai_day(at: DateTime<Utc>) -> String {
    const SHANGHAI: chrono::TimeDelta = chrono::TimeDelta::hours(8);
    (at + SHANGHAI).format("%Y-%m-%d").to_string()
}

/// A page that is not the one expected; a captcha or a login is named as such.
fn instead(html: &str, cause: &str) -> Failure {
    let failure = page::unexpected(html, "the page of an application");
    match failure.outcome {
        Outcome::ShapeChanged => unusable(Outcome::ShapeChanged, cause),
        outcome => unusable(outcome, &failure.detail),
    }
}

fn refused(status: u16, retry_at: Option<DateTime<Utc>>) -> Failure {
    let outcome = match status {
        401 | 403 | 407 => Outcome::LoginNeeded,
        404 => Outcome::NotFound,
        410 => Outcome::SourceClosed,
        412 | 418 | 429 | 432 => Outcome::RateLimited,
        408 | 500..=599 => Outcome::ServerError,
        _ => Outcome::ShapeChanged,
    };
    Failure { retry_at, ..unusable(outcome, &format!("its page answered {status}")) }
}

/// 无法下载或使用.
fn unusable(outcome: Outcome, cause: &str) -> Failure {
    Failure::new(
        outcome,
        format!("the application cannot be downloaded or used: {cause}; open the address in a browser"),
    )
}

#[cfg(test)]
mod tests;

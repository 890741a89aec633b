//! Sources: how posts are seen. Fetching is here and in [`http`]; every parser beside them is pure, without clock and IO.
//!
//! A source gives a whole listing or a typed failure, never a shorter listing (platforms.md §0.2). This layer must not
//! know the store, nor what follows from a listing; it takes its settings and sources from `config` and `model`.
//! Start at [`fetch`]; then [`feed`], [`html_list`], [`wechat_article`] and [`people_page`], one for each kind of page, which share
//! [`text`] (HTML to plain text), [`dates`], [`decode`], [`link`] (which links name one post) and [`page`] (what an
//! unexpected page is).

pub mod advice;
pub mod bridge;
mod converse;
pub mod dates;
pub mod decode;
pub mod feed;
pub mod html_list;
pub mod http;
mod json;
pub mod link;
pub mod page;
pub mod people_page;
pub mod platform;
pub mod posts_file;
pub mod text;
pub mod wechat_article;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use url::Url;

use crate::config::credentials::Credentials;
use crate::config::settings::CrawlSettings;
use crate::model::account::{Bridge, Freshness, HtmlListSpec, Source, SourceSpec};
use crate::model::crawl::{Failure, Listing, Outcome, Reach, Validators};
use converse::{Notes, converse};
use html_list::Paging;
use http::{Body, HttpClient, Request, Response, Scope, SharedPace};
use people_page::PeoplePost;
use wechat_article::ArticlePage;

const ACCEPT_FEED: &str = "application/feed+json, application/atom+xml, application/rss+xml, application/json;q=0.9, \
                           application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1";
const ACCEPT_JSON: &str = "application/json, */*;q=0.1";
const ACCEPT_PAGE: &str = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1";

/// What one look at a source brought.
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The last listing still stands.
    Unchanged {
        /// When the bridge last read the platform, where it says so.
        synced_at: Option<DateTime<Utc>>,
    },
    Listing {
        listing: Listing,
        /// To be sent back with the next look.
        validators: Validators,
        /// When the bridge last read the platform, where it says so.
        synced_at: Option<DateTime<Utc>>,
    },
}

/// What looking at sources needs: cheap to share, one for the whole process.
#[derive(Debug)]
pub struct Reader {
    pub client: HttpClient,
    notes: Notes,
}

impl Reader {
    pub fn new(settings: &CrawlSettings) -> anyhow::Result<Self> {
        Ok(Self { client: HttpClient::new(settings, None)?, notes: Notes::default() })
    }

    /// One whose pace is kept together with other processes.
    pub fn with_shared_pace(settings: &CrawlSettings, pace: Arc<dyn SharedPace>) -> anyhow::Result<Self> {
        Ok(Self { client: HttpClient::new(settings, Some(pace))?, notes: Notes::default() })
    }
}

/// Looks at a source once.
pub async fn fetch(
    reader: &Reader,
    source: &Source,
    credentials: &Credentials,
    validators: &Validators,
    now: DateTime<Utc>,
) -> Result<Fetched, Failure> {
    let client = &reader.client;
    match &source.spec {
        SourceSpec::Feed { bridge, .. } => fetch_feed(client, &source.url, *bridge, validators, now).await,
        SourceSpec::HtmlList(spec) => fetch_list(client, &source.url, spec, validators, now).await,
        SourceSpec::Interface(spec) => {
            let credential = spec.credential.as_deref().and_then(|name| credentials.get(name));
            let listing = converse(client, &reader.notes, source, spec, credential, now).await?;
            Ok(Fetched::Listing { listing, validators: Validators::default(), synced_at: None })
        }
    }
}

/// How far up a listing of a source reaches (design.md §4): a bridge may answer with yesterday's cache.
pub fn reach(spec: &SourceSpec, alive_at: Option<DateTime<Utc>>) -> Reach {
    match spec {
        SourceSpec::Feed { freshness: Freshness::Bridge, .. } => Reach::SignOfLife(alive_at),
        SourceSpec::Feed { freshness: Freshness::Trusted, .. } | SourceSpec::HtmlList(_) | SourceSpec::Interface(_) => {
            Reach::Listing
        }
    }
}

/// Reads a WeChat article page. The address comes from a post, so it is held to `hosts`.
pub async fn fetch_article(
    client: &HttpClient,
    url: &Url,
    hosts: &[String],
    now: DateTime<Utc>,
) -> Result<ArticlePage, Failure> {
    let body = fetch_page(client, url, hosts, now).await?;
    if body.final_url.path().to_ascii_lowercase().contains("captcha") {
        let detail = "WeChat led to a captcha: slow down in `crawl.hosts`, it will be asked again";
        return Err(Failure::new(Outcome::Captcha, detail));
    }
    wechat_article::parse(&page_text(&body)?)
}

/// Reads the page of a post of a People's account, held to `hosts` as well.
pub async fn fetch_people_post(
    client: &HttpClient,
    url: &Url,
    hosts: &[String],
    now: DateTime<Utc>,
) -> Result<PeoplePost, Failure> {
    let body = fetch_page(client, url, hosts, now).await?;
    people_page::parse(&page_text(&body)?, &body.final_url)
}

async fn fetch_page(client: &HttpClient, url: &Url, hosts: &[String], now: DateTime<Utc>) -> Result<Body, Failure> {
    let validators = Validators::default();
    let request = Request { url, validators: &validators, accept: ACCEPT_PAGE, scope: Scope::Hosts(hosts) };
    match client.get(request, now).await? {
        Response::Body(body) => Ok(body),
        Response::NotModified => Err(unasked_304()),
    }
}

async fn fetch_feed(
    client: &HttpClient,
    url: &Url,
    bridge: Option<Bridge>,
    validators: &Validators,
    now: DateTime<Utc>,
) -> Result<Fetched, Failure> {
    let explained = |failure| bridge::explained(bridge, failure);
    let request = Request { url, validators, accept: ACCEPT_FEED, scope: Scope::Anywhere };
    // Before the feed: a refresh between the two questions would vouch for a feed that was read before it.
    let synced_at = probe(client, url, bridge, now).await.map_err(explained)?;
    match client.get(request, now).await.map_err(explained)? {
        Response::NotModified => Ok(Fetched::Unchanged { synced_at }),
        Response::Body(body) => {
            let listing = feed::parse(&body.bytes, body.content_type.as_deref(), &body.final_url).map_err(explained)?;
            Ok(Fetched::Listing { listing, validators: body.validators, synced_at })
        }
    }
}

/// Asks a bridge when it last read the platform.
async fn probe(
    client: &HttpClient,
    feed: &Url,
    bridge: Option<Bridge>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let Some(url) = bridge::sync_probe(bridge, feed) else { return Ok(None) };
    let validators = Validators::default();
    let request = Request { url: &url, validators: &validators, accept: ACCEPT_JSON, scope: Scope::Anywhere };
    let Response::Body(body) = client.get(request, now).await? else { return Err(unasked_304()) };
    let answer = serde_json::from_slice(&body.bytes)
        .map_err(|error| Failure::new(Outcome::ShapeChanged, format!("the bridge's `/feeds` is no JSON: {error}")))?;
    bridge::synced_at(&answer, feed).map(Some)
}

/// Reads the pages of a list. Only the first page is asked conditionally: a new post changes it. A page that fails fails
/// the whole look, so that its reason is seen; the pages before it come again next time.
async fn fetch_list(
    client: &HttpClient,
    url: &Url,
    spec: &HtmlListSpec,
    validators: &Validators,
    now: DateTime<Utc>,
) -> Result<Fetched, Failure> {
    let request = Request { url, validators, accept: ACCEPT_PAGE, scope: Scope::Anywhere };
    let Response::Body(first) = client.get(request, now).await? else {
        return Ok(Fetched::Unchanged { synced_at: None });
    };
    let mut paging = Paging::new(spec);
    let mut next = read_page(&first, &mut paging, spec)?;
    while let Some(url) = next {
        let request =
            Request { url: &url, validators: &Validators::default(), accept: ACCEPT_PAGE, scope: Scope::Anywhere };
        let Response::Body(body) = client.get(request, now).await? else {
            return Err(unasked_304());
        };
        next = read_page(&body, &mut paging, spec)?;
    }
    Ok(Fetched::Listing { listing: paging.into_listing(), validators: first.validators, synced_at: None })
}

fn read_page(body: &Body, paging: &mut Paging, spec: &HtmlListSpec) -> Result<Option<Url>, Failure> {
    let page = html_list::parse_page(&page_text(body)?, &body.final_url, spec)?;
    Ok(paging.add(&body.final_url, page))
}

/// The text of a web page; anything else has another content type.
fn page_text(body: &Body) -> Result<std::borrow::Cow<'_, str>, Failure> {
    let content_type = body.content_type.as_deref();
    let is_page = content_type.is_none_or(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind.contains("html") || kind.contains("xml") || kind.starts_with("text/plain")
    });
    if !is_page {
        let kind = text::cut(content_type.unwrap_or_default(), 80);
        return Err(Failure::new(Outcome::ShapeChanged, format!("expected a web page, got content type `{kind}`")));
    }
    Ok(decode::decode(&body.bytes, content_type))
}

/// The client refuses such an answer itself.
fn unasked_304() -> Failure {
    Failure::new(Outcome::ShapeChanged, "the server answered 304 to a request without validators")
}

#[cfg(test)]
mod tests;

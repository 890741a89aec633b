//! `datacube/getarticletotaldetail` (platforms.md §1.1): every article of whole days, whichever way it was published, one
//! day late. It is what tells whether a listing is complete.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Asia::Shanghai;
use serde_json::Value;
use url::Url;

use super::{article_url, draft};
use crate::model::crawl::{BadItem, Failure, Listing, Proof};
use crate::model::post::PostDraft;
use crate::source::dates;
use crate::source::link::WechatLink;
use crate::source::platform::{shape_changed, wire};

/// Most days of one question.
const DAYS_MAX: i64 = 30;

/// The numbers of a day are taken for ready so long after its end: they are made in the night, and an empty day that is not
/// counted yet looks like one without articles.
const READY_AFTER: TimeDelta = TimeDelta::hours(9);

/// Whole days of Asia/Shanghai, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl Days {
    /// The last days whose numbers are ready, yesterday at the latest, as far back as wanted and allowed; `None`: only today is wanted.
    pub fn before(now: DateTime<Utc>, back_to: DateTime<Utc>) -> Option<Self> {
        let last = day_of(now - READY_AFTER).pred_opt()?;
        let earliest = last.checked_sub_signed(TimeDelta::days(DAYS_MAX - 1))?;
        let first = day_of(back_to).max(earliest);
        (first <= last).then_some(Self { first, last })
    }

    /// From the first midnight to the midnight after the last day.
    fn span(self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let midnight = |day: NaiveDate| Some(dates::in_shanghai(day.and_time(NaiveTime::MIN))?.at);
        Some((midnight(self.first)?, midnight(self.last.succ_opt()?)?))
    }
}

fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Shanghai).date_naive()
}

/// What the statistics report.
#[derive(Debug)]
pub(super) struct Report {
    articles: Vec<Reported>,
    bad_items: Vec<BadItem>,
    /// The numbers of some day are not ready.
    is_delayed: bool,
}

#[derive(Debug)]
struct Reported {
    day: NaiveDate,
    /// `msgid` as `mid` and `idx`, beside what the link says.
    msgid: Option<(String, String)>,
    draft: PostDraft,
}

/// How surely a listed post is a reported article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    /// By the link, or by the place in the push.
    Identity,
    /// One of the two has a short link, which names no place: by title and day.
    TitleOnDay,
    /// The same, where the post was edited later.
    TitleLater,
}

impl Report {
    pub fn parse(value: &Value) -> Result<Self, Failure> {
        let Some(items) = wire::at(value, &["list"]).as_array() else {
            return Err(shape_changed("the statistics have no list `list`"));
        };
        let items: Vec<&Value> = items.iter().collect();
        let (articles, bad_items) = wire::read_items(&items, |item| Reported::read(item).map(Some));
        let is_delayed = [value].into_iter().chain(items).any(|value| wire::flag(wire::at(value, &["is_delay"])));
        Ok(Self { articles, bad_items, is_delayed })
    }
}

impl Reported {
    fn read(item: &Value) -> Result<Self, String> {
        let text = |name: &str| wire::text(wire::at(item, &[name]));
        let day: NaiveDate =
            text("ref_date").parse().map_err(|_| "the statistics name no day `ref_date`".to_owned())?;
        let in_statistics = |reason: String| format!("an article of {day} in the statistics {reason}");
        let url = article_url(text("content_url")).map_err(in_statistics)?;
        let mut draft = draft(url, text("title"));
        let stamp = dates::end_of_day(day);
        draft.published_at = stamp.map(|stamp| stamp.at);
        draft.zone_assumed = stamp.is_some();
        let msgid = text("msgid").split_once('_').map(|(mid, idx)| (mid.to_owned(), idx.to_owned()));
        Ok(Self { day, msgid, draft })
    }

    fn matches(&self, post: &PostDraft, by: Match) -> bool {
        let (place, place_of_post) = (place_of(self.draft.url.as_ref()), place_of(post.url.as_ref()));
        let day = post.published_at.map(day_of);
        match by {
            Match::Identity => {
                let same_place = |place: &Option<_>| place.is_some() && *place == place_of_post;
                self.draft.key == post.key || same_place(&place) || (place.is_none() && same_place(&self.msgid))
            }
            // Two long links, or two short ones, would have matched already.
            _ if place.is_some() == place_of_post.is_some() || self.draft.title != post.title => false,
            Match::TitleOnDay => day == Some(self.day),
            Match::TitleLater => day.is_some_and(|day| self.day < day),
        }
    }

    /// Whether the list calls it deleted.
    fn is_key(&self, key: &str) -> bool {
        let place = Url::parse(key).ok().and_then(|url| place_of(Some(&url)));
        key == self.draft.key || (place.is_some() && place == place_of(self.draft.url.as_ref()))
    }
}

fn place_of(url: Option<&Url>) -> Option<(String, String)> {
    WechatLink::read(url?).map(|link| (link.mid, link.idx))
}

/// Adds the articles that only the statistics report, puts edited ones on their day, and says what is proved.
///
/// The days are proved if the statistics are whole and agree with the list: an article of these days that is listed but
/// not reported shows that others may be missing, too. `list_is_whole`: the list gave the items that it counted.
pub(super) fn reconcile(listing: &mut Listing, report: Report, days: Days, list_is_whole: bool) {
    let n_bad = report.bad_items.len();
    listing.bad_items.extend(report.bad_items);
    let n_listed = listing.posts.len();
    let mut reported = report.articles;
    let mut matched: HashSet<usize> = HashSet::new();
    for by in [Match::Identity, Match::TitleOnDay, Match::TitleLater] {
        reported.retain(|article| {
            let mut posts = listing.posts.iter_mut().enumerate();
            let found = posts.find(|(n, post)| !matched.contains(n) && article.matches(post, by));
            if let Some((n, post)) = found {
                matched.insert(n);
                put_on_day(post, article);
                return false;
            }
            true
        });
    }
    let mut keys: HashSet<String> = HashSet::new();
    for article in reported {
        let is_deleted = listing.deleted.iter().any(|key| article.is_key(key));
        if !is_deleted && keys.insert(article.draft.key.clone()) {
            listing.posts.push(article.draft);
        }
    }
    let Some((from, to)) = days.span() else { return };
    let in_days = |post: &PostDraft| post.published_at.is_none_or(|at| from <= at && at < to);
    let mut listed = listing.posts.iter().take(n_listed).enumerate();
    let agrees = listed.all(|(n, post)| matched.contains(&n) || !in_days(post));
    if agrees && list_is_whole && !report.is_delayed && n_bad == 0 {
        listing.proof = Proof::Span { from, to };
    }
}

/// The list knows the time of the last edit only; the statistics know the day of publication.
fn put_on_day(post: &mut PostDraft, article: &Reported) {
    if post.published_at.is_some_and(|at| day_of(at) <= article.day) {
        return;
    }
    post.edited_at = post.published_at;
    post.published_at = article.draft.published_at;
    post.zone_assumed = article.draft.zone_assumed;
}

//! From what a source told to what is stored: cleaned, bounded, personal data masked. Pure.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::model::post::{Link, PostDraft, TextOrigin, joined_text};
use crate::model::{AccountId, SourceId};
use crate::rules::wording::privacy;
use crate::store::posts::PostRecord;

/// Longest stored title, in characters; a longer one is a text in the wrong place.
const TITLE_CHARS_MAX: usize = 300;
/// Longest stored body, in characters: no post of an office is a tenth of it.
const BODY_CHARS_MAX: usize = 500_000;
/// Longest stored key or address, in bytes.
const KEY_BYTES_MAX: usize = 2_000;
/// Most links kept of one post.
const LINKS_MAX: usize = 500;
/// A publish time further ahead than this is a wrong clock, not a time.
const AHEAD_MAX: TimeDelta = TimeDelta::days(1);
/// No platform of the mission is older.
const FIRST_YEAR: i32 = 2005;

/// Makes the record of a post that a listing, a page or an import told.
pub fn prepare(
    account: &AccountId,
    draft: PostDraft,
    origin: TextOrigin,
    source: Option<&SourceId>,
    seen_at: DateTime<Utc>,
    fillable: bool,
) -> PostRecord {
    let listing_hash = draft.listing_hash();
    let title = clean_line(&draft.title, TITLE_CHARS_MAX);
    let body = clean_text(&draft.body);
    let text = joined_text(&title, &body);
    let (text, masked) = privacy::mask(&text);
    let text = text.into_owned();
    let title = privacy::mask(&title).0.into_owned();
    PostRecord {
        account: account.clone(),
        key: bounded_key(&draft.key),
        push_key: draft.push_key.as_deref().map(bounded_key),
        url: draft.url.map(String::from).filter(|url| url.len() <= KEY_BYTES_MAX),
        title,
        published_at: draft.published_at.and_then(|at| plausible_time(at, seen_at)),
        zone_assumed: draft.zone_assumed,
        edited_at: draft.edited_at.and_then(|at| plausible_time(at, seen_at)),
        original: draft.original,
        text_state: draft.text_state,
        origin,
        source: source.cloned(),
        listing_hash,
        text,
        links: draft.links.into_iter().take(LINKS_MAX).map(|link| clean_link(&link)).collect(),
        masked,
        seen_at,
        fillable,
    }
}

/// The time at millisecond precision, where it can be one.
pub fn plausible_time(at: DateTime<Utc>, seen_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1)?.and_hms_opt(0, 0, 0)?.and_utc();
    let at = DateTime::from_timestamp_millis(at.timestamp_millis())?;
    (first <= at && at <= seen_at + AHEAD_MAX).then_some(at)
}

/// One line without control characters, whitespace folded.
fn clean_line(text: &str, chars_max: usize) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    truncate_chars(&mut line, chars_max);
    line
}

/// Lines kept, other control characters (NUL breaks PostgreSQL) dropped.
fn clean_text(text: &str) -> String {
    let mut clean: String = text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    truncate_chars(&mut clean, BODY_CHARS_MAX);
    clean
}

fn truncate_chars(text: &mut String, chars_max: usize) {
    if let Some((end, _)) = text.char_indices().nth(chars_max) {
        text.truncate(end);
    }
}

fn clean_link(link: &Link) -> Link {
    let (text, _) = privacy::mask(&link.text);
    let text = clean_line(&text, TITLE_CHARS_MAX);
    Link { href: clean_line(&link.href, KEY_BYTES_MAX), text }
}

/// A key that is too long is replaced by its digest, so that it still tells posts apart.
fn bounded_key(key: &str) -> String {
    if key.len() <= KEY_BYTES_MAX && !key.contains('\0') {
        return key.to_owned();
    }
    let mut bounded = String::from("sha256:");
    let _ = write!(bounded, "{}", crate::model::digest_hex([key], 64));
    bounded
}

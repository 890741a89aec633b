//! One dynamic (动态), as the list of a space and the answer for a single one write it.

use serde_json::Value;

use super::{bvid, link, video_link};
use crate::model::crawl::Profile;
use crate::model::post::{PostDraft, TextState};
use crate::source::dates::{self, Stamp};
use crate::source::platform::drafts::Drafted;
use crate::source::platform::kit::heading;
use crate::source::platform::wire::{at, flag, id, number, text, unix_time};
use crate::source::text as plain;

/// What the list writes for an empty description of a video.
const NO_DESCRIPTION: &str = "-";
const PINNED: &str = "置顶";

/// Reads a dynamic. `Ok(None)`: the notice of a running live show, which vanishes with it.
pub(super) fn read(item: &Value) -> Result<Option<Drafted>, String> {
    let id_str = id(at(item, &["id_str"])).ok_or("no `id_str`")?;
    let kind = text(at(item, &["type"])).trim_start_matches("DYNAMIC_TYPE_");
    match kind {
        "" => return Err(format!("{id_str}: no `type`")),
        "LIVE_RCMD" => return Ok(None),
        "NONE" => return Ok(Some(Drafted::Deleted(id_str))),
        _ => {}
    }
    let modules = at(item, &["modules"]);
    if !modules.is_object() {
        return Err(format!("{id_str}: no `modules`"));
    }
    let own = plain::from_plain(text(at(modules, &["module_dynamic", "desc", "text"])));
    let told = Told::of(at(modules, &["module_dynamic", "major"]), kind);
    let body = match (own.is_empty(), told.text.is_empty() || own == told.text) {
        (true, _) => told.text,
        (false, true) => own,
        (false, false) => format!("{own}\n{}", told.text),
    };
    let title = [told.title, heading(&body), fallback_title(kind).to_owned()];
    let text_state = match (told.in_part, body.is_empty()) {
        (true, _) => TextState::Missing,
        (false, true) => TextState::None,
        (false, false) => TextState::Full,
    };
    let stamp = published(at(modules, &["module_author"]));
    let url = match &told.bvid {
        Some(bvid) => video_link(bvid),
        None if told.is_opus => link("www.bilibili.com/opus", &id_str),
        None => link("t.bilibili.com", &id_str),
    };
    Ok(Some(Drafted::Public(Box::new(PostDraft {
        key: told.bvid.unwrap_or(id_str),
        url,
        title: title.into_iter().find(|title| !title.is_empty()).unwrap_or_default(),
        body,
        text_state,
        published_at: stamp.map(|stamp| stamp.at),
        zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
        original: kind != "FORWARD",
        pinned: text(at(modules, &["module_tag", "text"])).contains(PINNED),
        ..PostDraft::default()
    }))))
}

/// How the account is shown beside its dynamics.
pub(super) fn profile(item: &Value) -> Option<Profile> {
    let author = at(item, &["modules", "module_author"]);
    let platform_id = id(at(author, &["mid"]))?;
    let name = plain::line(text(at(author, &["name"])));
    // -1: not verified, 0: a person, 1: an office or company.
    let verified = number(at(author, &["official_verify", "type"])).map(|kind| kind >= 0);
    Some(Profile { name: (!name.is_empty()).then_some(name), verified, platform_id: Some(platform_id) })
}

/// What the main part (`major`) of a dynamic tells.
#[derive(Debug, Default)]
struct Told {
    title: String,
    text: String,
    bvid: Option<String>,
    is_opus: bool,
    /// The text is only the beginning of an article, or is kept for those who pay.
    in_part: bool,
}

impl Told {
    fn of(major: &Value, kind: &str) -> Self {
        let Some((name, part)) = part_of(major) else { return Self::default() };
        let line = |path: &[&str]| plain::line(text(at(part, path)));
        let lines = |path: &[&str]| plain::from_plain(text(at(part, path)));
        match name {
            "archive" | "ugc_season" | "pgc" => Self {
                title: line(&["title"]),
                text: Some(lines(&["desc"])).filter(|text| text != NO_DESCRIPTION).unwrap_or_default(),
                bvid: bvid(at(part, &["bvid"])),
                ..Self::default()
            },
            // The list shows the beginning of an article, and the whole text of any other picture or text post.
            "opus" => Self {
                title: line(&["title"]),
                text: lines(&["summary", "text"]),
                is_opus: true,
                in_part: kind == "ARTICLE" || flag(at(part, &["summary", "has_more"])),
                ..Self::default()
            },
            "article" => Self { title: line(&["title"]), text: lines(&["desc"]), in_part: true, ..Self::default() },
            "blocked" => Self { in_part: true, ..Self::default() },
            // A card beside the account's own words, which make the better title.
            _ => {
                let words = [lines(&["title"]), lines(&["desc"])].into_iter().filter(|words| !words.is_empty());
                Self { text: words.collect::<Vec<_>>().join("\n"), ..Self::default() }
            }
        }
    }
}

/// The one part of `major` that its `type` names: `MAJOR_TYPE_ARCHIVE` is at `archive`.
fn part_of(major: &Value) -> Option<(&str, &Value)> {
    let name = text(at(major, &["type"])).trim_start_matches("MAJOR_TYPE_").to_ascii_lowercase();
    let (name, part) = major.as_object()?.iter().find(|(key, value)| **key == name && value.is_object())?;
    Some((name, part))
}

fn fallback_title(kind: &str) -> &'static str {
    match kind {
        "FORWARD" => "转发动态",
        "DRAW" => "图片动态",
        "AV" => "视频动态",
        _ => "动态",
    }
}

/// `pub_ts` is a number or text; `pub_time` may say "27分钟前", so it only helps where it is a whole date.
fn published(author: &Value) -> Option<Stamp> {
    let exact = unix_time(at(author, &["pub_ts"])).map(|at| Stamp { at, zone_assumed: false });
    exact.or_else(|| dates::parse_date(text(at(author, &["pub_time"]))))
}

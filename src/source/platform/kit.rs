//! What the readers of several platforms share: captions in place of title and text, ids that may have lost digits, the
//! account behind a list, and what a refusal says in words. Pure.

use std::collections::HashMap;

use serde_json::Value;
use url::Url;

use super::{text, wire};
use crate::model::crawl::{BadItem, Outcome};
use crate::model::post::{PostDraft, TextState};

/// Most characters of a title that is the beginning of a text.
const TITLE_CHARS_MAX: usize = 60;
/// Most characters of a title that the platform gives.
const OWN_TITLE_CHARS_MAX: usize = 200;
/// Longest id, in bytes: those of works have 8 to 24, those in Douyin's account addresses some 80.
const ID_BYTES_MAX: usize = 128;
/// JavaScript rounds whole numbers beyond this, and with them the ids in everything a browser saved.
const EXACT_MAX: u64 = 1 << 53;

/// Sets title, body and text state of a post whose whole text is known.
///
/// Nothing is said twice where that can be avoided, because checks count what they find: a text that fits into the
/// title is the title only, and a title that the text begins with is cut from the text.
pub fn set_caption(draft: &mut PostDraft, title: &str, whole_text: &str) {
    let title = one_line(title, OWN_TITLE_CHARS_MAX);
    let body = text::from_plain(whole_text);
    (draft.title, draft.body) = if title.is_empty() {
        let is_short = !body.contains('\n') && body.chars().count() <= TITLE_CHARS_MAX;
        if is_short { (body, String::new()) } else { (heading(&body), body) }
    } else {
        let rest = body.strip_prefix(title.as_str()).unwrap_or(&body).trim_start().to_owned();
        (title, rest)
    };
    let has_text = !draft.title.is_empty() || !draft.body.is_empty();
    draft.text_state = if has_text { TextState::Full } else { TextState::None };
}

/// A title as the platform gives it: one line, bounded.
pub fn one_line(title: &str, chars_max: usize) -> String {
    text::from_plain(text::cut(title, 4 * chars_max)).replace('\n', " ").chars().take(chars_max).collect()
}

/// A title for a post without one: the first line of its text, cut behind a punctuation mark where it is long. A cut
/// within a word could make a wrong one.
pub fn heading(body: &str) -> String {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let Some((limit, _)) = line.char_indices().nth(TITLE_CHARS_MAX) else { return line.to_owned() };
    let marks = ['。', '！', '？', '；', '，', '、', '：', '】', '》', '”', '!', '?', ';', ' ', '#'];
    let start = text::cut(line, limit);
    match start.rfind(marks) {
        Some(at) if at > 0 => start.char_indices().take_while(|(i, _)| *i <= at).map(|(_, c)| c).collect(),
        _ => format!("{start}…"),
    }
    .trim_end()
    .to_owned()
}

/// An id that is surely whole: text, or a number that JavaScript holds exactly. It can stand in an address.
pub fn exact_id(value: &Value) -> Option<String> {
    if value.as_u64().is_some_and(|number| number > EXACT_MAX) {
        return None;
    }
    wire::id(value).filter(|id| is_id(id))
}

/// Whether a text can be an id: short, and of letters, digits, `_` and `-`.
pub fn is_id(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    !text.is_empty() && text.len() <= ID_BYTES_MAX && is_plain && text != "0"
}

/// The first of several values that is an id.
pub fn first_id<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<String> {
    values.into_iter().find_map(exact_id)
}

/// All ids among several values, each once.
pub fn ids<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in values.into_iter().filter_map(exact_id) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// The first of several values that is a text with something in it.
pub fn first_text<'v>(values: impl IntoIterator<Item = &'v Value>) -> &'v str {
    values.into_iter().map(wire::text).find(|text| !text.trim().is_empty()).unwrap_or_default()
}

/// A canonical public link; the id was checked by [`is_id`].
pub fn link(address: &str) -> Option<Url> {
    Url::parse(address).ok()
}

/// Whose posts a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'v> {
    /// No item says whose it is.
    Unknown,
    /// More than half of the items are this account's: the others were made together with it, or shared by it.
    One(&'v Value),
    /// Items of so many accounts, none of which has more than half: the list of no account.
    Many(usize),
}

/// Counts the accounts behind the items; gives the value that names the one with most.
pub fn owner<'v>(items: &[&'v Value], account: impl Fn(&'v Value) -> (&'v Value, Option<String>)) -> Owner<'v> {
    let mut accounts: HashMap<String, (usize, &'v Value)> = HashMap::new();
    let mut n_named = 0;
    for item in items {
        if let (value, Some(id)) = account(item) {
            accounts.entry(id).or_insert((0, value)).0 += 1;
            n_named += 1;
        }
    }
    match accounts.values().max_by_key(|(count, _)| *count) {
        None => Owner::Unknown,
        Some((count, value)) if count * 2 > n_named => Owner::One(value),
        Some(_) => Owner::Many(accounts.len()),
    }
}

impl<'v> Owner<'v> {
    /// The value that names the account, if it is one.
    pub fn one(self) -> Option<&'v Value> {
        if let Self::One(value) = self { Some(value) } else { None }
    }

    /// The warning that a list shows the posts of many accounts.
    pub fn warning(self) -> Option<BadItem> {
        let Self::Many(n) = self else { return None };
        let reason = format!("the list mixes posts of {n} accounts: it is a feed, not the list of one account");
        Some(BadItem { index: 1, reason })
    }
}

/// What kind of refusal the platform's own words tell of; `None`: they tell of none that is known.
pub fn outcome_said(said: &Value) -> Option<Outcome> {
    const WORDS: &[(&[&str], Outcome)] = &[
        (&["注销", "注銷"], Outcome::AccountCancelled),
        (&["封禁", "封号", "被禁"], Outcome::AccountBanned),
        (&["验证码", "安全验证", "captcha", "verify"], Outcome::Captcha),
        (&["频繁", "频率", "限流", "稍后", "too many", "quota", "limit"], Outcome::RateLimited),
        (&["白名单", "whitelist"], Outcome::IpNotAllowed),
        (&["下线", "停止维护"], Outcome::SourceClosed),
        (&["登录", "登陆", "登入", "过期", "login", "expired", "token"], Outcome::LoginNeeded),
        (&["权限", "未授权", "permission", "scope", "denied", "unauthorized"], Outcome::PermissionMissing),
        (&["系统繁忙", "系统错误", "server error", "server_error"], Outcome::ServerError),
    ];
    let said = super::message(said).to_lowercase();
    WORDS.iter().find(|(words, _)| words.iter().any(|word| said.contains(word))).map(|(_, outcome)| *outcome)
}

/// What the operator can do about a refusal.
pub fn advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::LoginNeeded => "log in again and write the credential anew",
        Outcome::RateLimited => "it was asked too often; it will be asked again later",
        Outcome::Captcha => "open the platform in a browser, pass the check, and write the credential anew",
        Outcome::PermissionMissing => "grant the permission on the platform, or use another source",
        Outcome::IpNotAllowed => "enter this machine's address in the platform's list",
        Outcome::SourceClosed => "the interface is closed; use another source",
        Outcome::AccountCancelled | Outcome::AccountBanned => "look at the account in a browser",
        Outcome::ServerError => "it will be asked again",
        _ => "open the platform in a browser; the interface may have changed",
    }
}

#[cfg(test)]
pub mod testing {
    //! JSON of any shape, with the keys that readers look for.

    use proptest::prelude::*;
    use serde_json::{Map, Value};

    pub fn arbitrary_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            "[0-9]{1,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = proptest::sample::select(KEYS).prop_map(str::to_owned);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((key, inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    const KEYS: &[&str] = &[
        "data",
        "list",
        "aweme_list",
        "aweme_id",
        "author",
        "status",
        "has_more",
        "max_cursor",
        "items",
        "errno",
        "assembleCell",
        "itemCell",
        "articleBase",
        "shareInfo",
        "shareURL",
        "publishTime",
        "content",
        "cell_type",
        "result",
        "video_list",
        "photo_id",
        "create_time",
        "feeds",
        "photo",
        "pcursor",
        "notes",
        "note_id",
        "code",
        "success",
        "user",
        "id",
        "title",
        "total",
        "time",
    ];
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn captioned(title: &str, text: &str) -> PostDraft {
        let mut draft = PostDraft::default();
        set_caption(&mut draft, title, text);
        draft
    }

    #[test]
    fn nothing_is_said_twice_where_that_can_be_avoided() {
        let short = captioned("", "市民您好 #政务公开");
        assert_eq!((short.title.as_str(), short.body.as_str()), ("市民您好 #政务公开", ""));
        assert_eq!(short.text_state, TextState::Full);
        let titled = captioned("一图读懂", "一图读懂 新政策今天起施行");
        assert_eq!((titled.title.as_str(), titled.body.as_str()), ("一图读懂", "新政策今天起施行"));
        assert_eq!(captioned("", "").text_state, TextState::None);
    }

    #[test]
    fn a_long_text_is_whole_in_the_body_and_its_title_ends_behind_a_mark() {
        let text = format!("{}，{}。第三句", "一".repeat(40), "二".repeat(40));
        let long = captioned("", &text);
        assert_eq!((long.title, long.body), (format!("{}，", "一".repeat(40)), text));
        let unbroken = captioned("", &"字".repeat(100));
        assert_eq!(unbroken.title, format!("{}…", "字".repeat(60)));
        assert_eq!(captioned("", "第一行\n第二行").title, "第一行");
    }

    #[test]
    fn an_id_that_javascript_rounded_is_none() {
        assert_eq!(exact_id(&json!(6_462_456_615_328_023_000_u64)), None);
        assert_eq!(exact_id(&json!("6462456615328022798")).unwrap(), "6462456615328022798");
        assert_eq!(exact_id(&json!(57_773_612_510_u64)).unwrap(), "57773612510");
        for none in [json!("a/b"), json!(""), json!("0"), json!("x".repeat(129)), json!(null), json!(1.5)] {
            assert_eq!(exact_id(&none), None, "{none}");
        }
    }

    #[test]
    fn a_list_has_the_owner_that_more_than_half_of_its_items_name() {
        let read = |ids: &[&str]| {
            let items: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
            let items: Vec<&Value> = items.iter().collect();
            let owner = owner(&items, |item| (item, exact_id(wire::at(item, &["id"]))));
            (owner.one().map(|value| wire::text(wire::at(value, &["id"])).to_owned()), owner.warning().is_some())
        };
        assert_eq!(read(&["a", "a", "b"]), (Some("a".to_owned()), false));
        assert_eq!(read(&["a", "b"]), (None, true));
        assert_eq!(read(&["", ""]), (None, false));
    }

    proptest! {
        #[test]
        fn no_text_panics(title in "\\PC{0,80}", text in "(?s).{0,200}") {
            let draft = captioned(&title, &text);
            prop_assert!(draft.title.chars().count() <= OWN_TITLE_CHARS_MAX);
        }
    }
}

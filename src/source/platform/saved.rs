//! Answers of platforms that somebody saved in a browser: one JSON document, JSON lines, or a HAR with many answers. Pure.
//!
//! Each platform's file knows its own shapes; here the file is taken apart and each answer is offered to all of them. An
//! import lists what it lists: it never proves that there was nothing else.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::{Page, wire};
use crate::model::account::AccountKind;
use crate::model::crawl::Failure;
use crate::source::json;

/// Most answers looked at in one file.
const ANSWERS_MAX: usize = 10_000;

/// One saved answer that a platform recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What it is, for the operator: `weibo.com mymblog`.
    pub shape: &'static str,
    /// The kinds of account that publish there.
    pub kinds: &'static [AccountKind],
    pub page: Page,
    /// The platform's own ids of the account, any of which the registry may hold as `platform_id` or as a source value.
    pub owners: Vec<String>,
}

/// Looks at one JSON value: `None`: of another shape; `Err`: of this shape, but it tells of a failure.
pub type Recogniser = fn(&Value) -> Option<Result<Saved, Failure>>;

/// The recognisers of all platforms; shapes do not overlap.
const RECOGNISERS: &[Recogniser] = &[
    super::baijiahao::recognise,
    super::bilibili::recognise,
    super::channels::recognise,
    super::douyin::saved::profile,
    super::douyin::saved::works,
    super::kuaishou::saved::of_app,
    super::kuaishou::saved::of_backend,
    super::kuaishou::saved::of_official,
    super::kuaishou::saved::of_profile,
    super::toutiao::saved::of_app,
    super::toutiao::saved::of_backend,
    super::toutiao::saved::of_web,
    super::wechat::saved::recognise,
    super::weibo::saved::recognise,
    super::xiaohongshu::notes,
];

/// One answer of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAnswer {
    /// Where it stood: `answer 3`, `line 7`.
    pub place: String,
    /// `None`: of no platform's shape.
    pub found: Option<Result<Saved, Failure>>,
}

/// Takes a file apart. `Err`: it is no JSON at all, or too much of it.
pub fn read(content: &str) -> Result<Vec<SavedAnswer>, String> {
    let content = content.trim_start_matches('\u{feff}').trim();
    let values = match json::parse::<Value>(content) {
        Ok(value) => answers_of(value),
        Err(error) if error.is_syntax() || error.is_eof() => json_lines(content).ok_or_else(|| error.to_string())?,
        Err(error) => return Err(error.to_string()),
    };
    if values.len() > ANSWERS_MAX {
        return Err(format!("it holds {} answers, more than {ANSWERS_MAX}: split the file", values.len()));
    }
    Ok(values.into_iter().map(|(place, value)| SavedAnswer { place, found: recognise(&value) }).collect())
}

fn recognise(value: &Value) -> Option<Result<Saved, Failure>> {
    RECOGNISERS.iter().find_map(|recogniser| recogniser(value))
}

/// The answers in a HAR that are JSON, or the document itself.
fn answers_of(value: Value) -> Vec<(String, Value)> {
    let Some(entries) = wire::at(&value, &["log", "entries"]).as_array() else {
        return vec![("answer 1".to_owned(), value)];
    };
    let answers = entries.iter().enumerate().filter_map(|(index, entry)| {
        let content = wire::at(entry, &["response", "content"]);
        let text = content.get("text")?.as_str()?;
        let value = if content.get("encoding").and_then(Value::as_str) == Some("base64") {
            serde_json::from_slice(&BASE64_STANDARD.decode(text).ok()?).ok()?
        } else {
            json::parse(text).ok()?
        };
        Some((format!("answer {}", index + 1), value))
    });
    answers.collect()
}

/// Every line a JSON value; `None`: some line is not.
fn json_lines(content: &str) -> Option<Vec<(String, Value)>> {
    let lines = content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| Some((format!("line {}", index + 1), json::parse(line).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_har_is_taken_apart_and_what_is_no_json_left_out() {
        let encoded = BASE64_STANDARD.encode(r#"{"a":1}"#);
        let har = json!({"log": {"entries": [
            {"response": {"content": {"text": "<html>"}}},
            {"response": {"content": {"text": encoded, "encoding": "base64"}}},
            {"response": {"content": {"mimeType": "image/png"}}},
            {"response": {"content": {"text": "{\"b\":2}"}}},
        ]}});
        let places: Vec<String> = read(&har.to_string()).unwrap().into_iter().map(|answer| answer.place).collect();
        assert_eq!(places, ["answer 2", "answer 4"]);
    }

    #[test]
    fn lines_of_json_are_answers_and_other_text_is_refused() {
        assert_eq!(read("{\"a\":1}\n\n{\"b\":2}\n").unwrap()[1].place, "line 3");
        assert!(read("账号名称,链接\n").is_err());
        assert_eq!(read("{\"a\":1}").unwrap()[0].found, None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = read(&text);
        }
    }
}

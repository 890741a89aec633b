//! Posts handed in as a file: a list of addresses, CSV or JSON Lines. Pure.
//!
//! The way that always exists: an editor pastes the links of what was published (platforms.md §0.1 d). An import lists
//! what it lists; it never proves that there was nothing else.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use thiserror::Error;
use url::Url;

use super::dates::parse_date;
use super::link::canonical_key;
use super::{json, text};
use crate::model::post::{PostDraft, TextState};

/// Most items of one file.
const ITEMS_MAX: usize = 100_000;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportedItem {
    /// Only an address: the page is fetched.
    Page(Url),
    /// A post told in full.
    Post(Box<PostDraft>),
}

/// What is wrong with one line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ImportError {
    pub line: usize,
    pub problem: String,
}

/// One row of CSV or JSON Lines. Chinese column names are taken too.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    #[serde(alias = "链接", alias = "网址")]
    url: Option<String>,
    #[serde(alias = "标题")]
    title: Option<String>,
    #[serde(alias = "发布时间")]
    published_at: Option<String>,
    #[serde(alias = "正文")]
    body: Option<String>,
    #[serde(alias = "唯一标识")]
    key: Option<String>,
}

/// Reads the file, or says everything that is wrong with it. The form is recognised by the first line.
pub fn parse(content: &str) -> Result<Vec<(usize, ImportedItem)>, Vec<ImportError>> {
    let content = content.trim_start_matches('\u{feff}');
    let first = content.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let rows: Vec<(usize, Result<ImportedItem, String>)> = if first.starts_with('{') {
        lines(content).map(|(n, line)| (n, parse_json(line))).collect()
    } else if first.starts_with("http://") || first.starts_with("https://") {
        lines(content).map(|(n, line)| (n, parse_url(line).map(ImportedItem::Page))).collect()
    } else {
        parse_csv(content)
    };
    if rows.is_empty() {
        return Err(vec![ImportError {
            line: 1,
            problem: "no post in the file; write one address per line".to_owned(),
        }]);
    }
    if let Some((line, _)) = rows.get(ITEMS_MAX) {
        let problem = format!("more than {ITEMS_MAX} posts; split the file");
        return Err(vec![ImportError { line: *line, problem }]);
    }
    let mut items = Vec::new();
    let mut errors = Vec::new();
    for (line, row) in rows {
        match row {
            Ok(item) => items.push((line, item)),
            Err(problem) => errors.push(ImportError { line, problem }),
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

/// Lines that say something: not empty, no `#` comment.
fn lines(content: &str) -> impl Iterator<Item = (usize, &str)> {
    content
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn parse_json(line: &str) -> Result<ImportedItem, String> {
    let row: Row =
        json::parse(line).map_err(|error| format!("{error}; the keys are url, title, published_at, body, key"))?;
    item(row)
}

fn parse_csv(content: &str) -> Vec<(usize, Result<ImportedItem, String>)> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).trim(csv::Trim::All).from_reader(content.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return vec![(1, Err(error.to_string()))],
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let (line, parsed) = match record {
            Ok(record) => {
                let line =
                    record.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
                let row = record.deserialize::<Row>(Some(&headers)).map_err(|error| {
                    format!(
                        "{error}; the columns are url 链接, title 标题, published_at 发布时间, body 正文, key 唯一标识"
                    )
                });
                (line, row.and_then(item))
            }
            Err(error) => {
                let line =
                    error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
                (line, Err(error.to_string()))
            }
        };
        rows.push((line, parsed));
    }
    rows
}

fn item(row: Row) -> Result<ImportedItem, String> {
    let given = |field: Option<String>| field.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let url = given(row.url).map(|url| parse_url(&url)).transpose()?;
    let title = given(row.title);
    let Some(title) = title else {
        return match url {
            Some(url) => Ok(ImportedItem::Page(url)),
            None => Err("neither an address nor a title; give at least the address".to_owned()),
        };
    };
    let published_at = given(row.published_at);
    let parsed = published_at.as_deref().map(parse_time).transpose()?;
    let body = text::from_plain(&row.body.unwrap_or_default());
    let key = match (given(row.key), &url) {
        (Some(key), _) => key,
        (None, Some(url)) => canonical_key(url),
        (None, None) => {
            return Err("neither an address nor a key; one of them must tell the post from others".to_owned());
        }
    };
    Ok(ImportedItem::Post(Box::new(PostDraft {
        key,
        push_key: None,
        url,
        title,
        text_state: if body.is_empty() { TextState::Missing } else { TextState::Full },
        body,
        links: Vec::new(),
        published_at: parsed.map(|(at, _)| at),
        zone_assumed: parsed.is_some_and(|(_, assumed)| assumed),
        edited_at: None,
        original: true,
        pinned: false,
    })))
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not an address: {error}"))?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(format!("`{text}`: only http and https")) }
}

fn parse_time(text: &str) -> Result<(DateTime<Utc>, bool), String> {
    parse_date(text)
        .map(|stamp| (stamp.at, stamp.zone_assumed))
        .ok_or_else(|| format!("`{text}` is not a time; write 2026-11-19 08:30 or 2026-11-19T08:30:00+08:00"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn only_post(content: &str) -> PostDraft {
        match parse(content).unwrap().remove(0).1 {
            ImportedItem::Post(draft) => *draft,
            ImportedItem::Page(url) => panic!("only an address: {url}"),
        }
    }

    #[test]
    fn a_list_of_addresses_may_hold_comments() {
        let items = parse("https://mp.weixin.qq.com/s/abc\n\n# 第二篇\nhttps://mp.weixin.qq.com/s/def\n").unwrap();
        let lines: Vec<usize> = items.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn chinese_columns_are_read() {
        let draft = only_post("标题,链接,发布时间,正文\n通知,https://example.com/1,2026-11-19 08:30,全文\n");
        assert_eq!(draft.title, "通知");
        assert_eq!(draft.published_at.unwrap().to_rfc3339(), "2026-11-19T00:30:00+00:00");
        assert!(draft.zone_assumed);
        assert_eq!(draft.text_state, TextState::Full);
    }

    #[test]
    fn json_lines_are_read() {
        let draft = only_post(r#"{"title":"通知","key":"n1","published_at":"2026-11-19T08:30:00+08:00"}"#);
        assert_eq!((draft.key.as_str(), draft.zone_assumed, draft.text_state), ("n1", false, TextState::Missing));
    }

    #[test]
    fn every_bad_line_is_named() {
        let errors = parse("https://example.com/1\nnot an address\nftp://example.com\n").unwrap_err();
        let lines: Vec<usize> = errors.iter().map(|error| error.line).collect();
        assert_eq!(lines, [2, 3]);
        let errors = parse("title,published_at,key\n通知,昨天,k\n").unwrap_err();
        assert!(errors[0].to_string().contains("`昨天` is not a time"), "{errors:?}");
        assert!(parse("name\n通知\n").unwrap_err()[0].problem.contains("the columns are"));
        assert!(parse("").is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(content in any::<String>()) {
            let _ = parse(&content);
        }
    }
}

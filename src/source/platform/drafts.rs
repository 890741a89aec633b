//! What the readers of items share: a title out of a text, and the posts of a page beside its deleted ones. Pure.

use serde_json::Value;

use super::{Page, wire};
use crate::model::post::PostDraft;

/// Longest title made of a text, in characters.
const HEADING_CHARS_MAX: usize = 60;

/// One item of a list as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drafted {
    /// Boxed: it is large.
    Public(Box<PostDraft>),
    /// The key of a post that the platform says is deleted.
    Deleted(String),
}

/// A title for a post without one: the beginning of its first line, at a sentence's end where there is one.
pub fn heading(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let Some((limit, _)) = line.char_indices().nth(HEADING_CHARS_MAX) else { return line.to_owned() };
    let head = &line[..limit];
    let end = head.char_indices().rfind(|(_, c)| matches!(c, '。' | '！' | '？' | '；' | '!' | '?' | ';'));
    let head = end.map_or(head, |(at, c)| &head[..at + c.len_utf8()]);
    head.trim_end().to_owned()
}

/// The page of these items; an item that is not public (`Ok(None)`) only counts as one that stood there.
pub fn page_of(items: &[&Value], read: impl Fn(&Value) -> Result<Option<Drafted>, String>) -> Page {
    let (drafted, bad_items) = wire::read_items(items, read);
    let mut page = Page { bad_items, n_items: items.len(), ..Page::default() };
    for item in drafted {
        match item {
            Drafted::Public(post) => page.posts.push(*post),
            Drafted::Deleted(key) => page.deleted.push(key),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_heading_is_the_first_line_cut_at_a_sentence() {
        assert_eq!(heading("\n 通知公告 \n正文"), "通知公告");
        let long = format!("第一句。{}", "字".repeat(80));
        assert_eq!(heading(&long), "第一句。");
        assert_eq!(heading(&"字".repeat(80)).chars().count(), HEADING_CHARS_MAX);
        assert_eq!(heading(""), "");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,120}") {
            prop_assert!(heading(&text).chars().count() <= HEADING_CHARS_MAX);
        }
    }
}

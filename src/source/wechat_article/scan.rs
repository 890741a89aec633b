//! Tells scripts from markup in one pass, without a tree.

use crate::source::text;

/// A page taken apart.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    pub(super) scripts: Vec<&'a str>,
    /// The page without scripts, styles and comments.
    pub(super) markup: String,
    /// A tag carries the id of the article's frame.
    pub(super) has_article: bool,
    /// Where in `markup` the article's text begins.
    content_start: Option<usize>,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(html: &'a str) -> Self {
        let mut pieces = Self { scripts: Vec::new(), markup: String::new(), has_article: false, content_start: None };
        let mut copied_to = 0;
        let mut at = 0;
        while let Some(found) = html[at..].find('<') {
            let start = at + found;
            let rest = &html[start..];
            let end = start
                + if rest.starts_with("<!--") {
                    rest.find("-->").map_or(rest.len(), |end| end + 3)
                } else if let Some(name) = ["script", "style"].into_iter().find(|name| opens(rest, name)) {
                    let text_start = rest.find('>').map_or(rest.len(), |end| end + 1);
                    let text_end = text_start + end_tag(&rest[text_start..], name);
                    if name == "script" {
                        pieces.scripts.push(&rest[text_start..text_end]);
                    }
                    rest[text_end..].find('>').map_or(rest.len(), |end| text_end + end + 1)
                } else {
                    let tag = rest.find('>').map_or(rest, |end| &rest[..=end]);
                    pieces.markup.push_str(&html[copied_to..start]);
                    pieces.markup.push_str(tag);
                    pieces.note(tag);
                    copied_to = start + tag.len();
                    at = copied_to;
                    continue;
                };
            pieces.markup.push_str(&html[copied_to..start]);
            copied_to = end;
            at = end;
        }
        pieces.markup.push_str(&html[copied_to..]);
        pieces
    }

    fn note(&mut self, tag: &str) {
        self.has_article |= has_id(tag, "js_article");
        if self.content_start.is_none() && has_id(tag, "js_content") {
            self.content_start = Some(self.markup.len());
        }
    }

    /// The HTML of the article's text, up to the end of its frame.
    pub(super) fn content(&self) -> &str {
        let Some(start) = self.content_start else { return "" };
        let content = text::cut(&self.markup[start..], text::HTML_BYTES_MAX);
        let mut depth = 1_usize;
        for (at, _) in content.match_indices('<') {
            if opens(&content[at..], "div") {
                depth += 1;
            } else if content[at..].starts_with("</div") {
                depth -= 1;
            }
            if depth == 0 {
                return &content[..at];
            }
        }
        content
    }

    /// The publish time that article pages keep in a variable of their own.
    pub(super) fn ct(&self) -> Option<&'a str> {
        let of_script = |script: &&'a str| {
            let (_, value) = script.split_once("var ct = \"")?;
            value.split('"').next().filter(|value| !value.is_empty())
        };
        self.scripts.iter().find_map(of_script)
    }
}

/// Whether a start tag carries an id.
fn has_id(tag: &str, id: &str) -> bool {
    let is_value = |(at, name): (usize, &str)| {
        let value = tag[at + name.len()..].trim_start_matches(['"', '\'']);
        tag[..at].ends_with(|c: char| c.is_ascii_whitespace())
            && value.strip_prefix(id).is_some_and(|rest| rest.starts_with(['"', '\'', ' ', '>']))
    };
    tag[1..].starts_with(|c: char| c.is_ascii_alphabetic()) && tag.match_indices("id=").any(is_value)
}

/// Whether the text begins with the start tag of an element.
fn opens(text: &str, name: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && bytes.get(name.len() + 1).is_some_and(|byte| !byte.is_ascii_alphanumeric())
}

/// Where the end tag of a script or a style begins; the whole length where there is none.
fn end_tag(text: &str, name: &str) -> usize {
    let is_end = |at: &usize| {
        text.as_bytes().get(at + 2..at + 2 + name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    text.match_indices("</").map(|(at, _)| at).find(is_end).unwrap_or(text.len())
}

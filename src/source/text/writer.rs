//! Writes the visible text while tags go by.

use html5ever::LocalName;
use html5ever::tokenizer::Tag;
use url::Url;

use super::{Extract, LINKS_MAX, Newlines, TEXT_CHARS_MAX, tags, web_url};
use crate::model::post::Link;

/// Most open elements remembered; deeper ones are read, but cannot hide their content.
const OPEN_ELEMENTS_MAX: usize = 256;
/// Most characters kept of a link's words.
const LINK_CHARS_MAX: usize = 200;

/// What stands before the next character; the strongest of several wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Nothing,
    Space,
    /// White space with a line break of the source in it.
    SourceBreak,
    /// A new table cell.
    Cell,
    Line,
}

#[derive(Debug)]
struct Open {
    name: LocalName,
    hidden: bool,
    pre: bool,
    /// Number of the last item of an ordered list.
    list: Option<i64>,
}

/// Text so far, and what is open.
#[derive(Debug)]
pub struct Writer {
    body: String,
    n_chars: usize,
    newlines: Newlines,
    due: Due,
    prefix_due: Option<String>,
    open: Vec<Open>,
    n_too_deep: usize,
    n_hidden: usize,
    n_pre: usize,
    /// Within `<script>` and its kind: everything up to the next end tag is unread.
    in_raw: bool,
    link: Option<Link>,
    links: Vec<Link>,
}

impl Writer {
    pub fn new(newlines: Newlines) -> Self {
        Self {
            body: String::new(),
            n_chars: 0,
            newlines,
            due: Due::Nothing,
            prefix_due: None,
            open: Vec::new(),
            n_too_deep: 0,
            n_hidden: 0,
            n_pre: 0,
            in_raw: false,
            link: None,
            links: Vec::new(),
        }
    }

    pub fn into_body(self) -> String {
        self.body
    }

    pub fn finish(mut self, base: &Url) -> Extract {
        self.close_link();
        let absolute = |link: Link| Some(Link { href: web_url(&link.href, base)?.into(), ..link });
        Extract { body: self.body, links: self.links.into_iter().filter_map(absolute).collect() }
    }

    pub fn text(&mut self, text: &str) {
        if self.n_hidden > 0 || self.in_raw {
            return;
        }
        let keeps_lines = self.newlines == Newlines::Keep || self.n_pre > 0;
        for c in text.chars() {
            match c {
                '\n' if keeps_lines => self.due = Due::Line,
                // Invisible, and would split a word for the checks.
                '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' => {}
                '\n' => self.due = self.due.max(Due::SourceBreak),
                c if c.is_whitespace() => self.due = self.due.max(Due::Space),
                c if c.is_control() => {}
                c => self.write(c),
            }
        }
    }

    pub fn start_tag(&mut self, tag: &Tag) {
        let name = &*tag.name;
        if tags::is_raw(name) {
            self.in_raw = true;
            return;
        }
        let style = attribute(tag, "style").unwrap_or_default();
        let display = if style.is_empty() { None } else { tags::style_value(style, "display") };
        let hidden = tags::is_unread(name) || attribute(tag, "hidden").is_some() || display.as_deref() == Some("none");
        if tags::is_block(name) || display.as_deref() == Some("block") {
            // A paragraph ends where the next block begins.
            if self.open.last().is_some_and(|open| &*open.name == "p" || (name == "li" && &*open.name == "li")) {
                self.close_last();
            }
            self.break_line(hidden);
        }
        match name {
            "td" | "th" => self.due = self.due.max(Due::Cell),
            "a" => self.open_link(tag),
            _ => {}
        }
        // Shapes within a drawing close themselves.
        if tags::is_void(name) || tag.self_closing {
            return;
        }
        if name == "li" && self.n_hidden == 0 && !hidden {
            self.prefix_due = self.next_number(tag).map(|number| format!("{number}. "));
        }
        if self.open.len() >= OPEN_ELEMENTS_MAX {
            self.n_too_deep += 1;
            return;
        }
        let pre = name == "pre";
        self.n_hidden += usize::from(hidden);
        self.n_pre += usize::from(pre);
        self.open.push(Open { name: tag.name.clone(), hidden, pre, list: list_start(tag, style) });
    }

    pub fn end_tag(&mut self, name: &LocalName) {
        if tags::is_raw(name) {
            self.in_raw = false;
            return;
        }
        if &**name == "a" {
            self.close_link();
        }
        let mut was_hidden = false;
        if self.n_too_deep > 0 {
            self.n_too_deep -= 1;
        } else if let Some(position) = self.open.iter().rposition(|open| open.name == *name) {
            was_hidden = self.open[position].hidden;
            while self.open.len() > position {
                self.close_last();
            }
        }
        if tags::is_block(name) {
            self.break_line(was_hidden);
        }
    }

    /// What is hidden breaks no line.
    fn break_line(&mut self, is_hidden: bool) {
        if !is_hidden && self.n_hidden == 0 {
            self.due = Due::Line;
        }
    }

    fn close_last(&mut self) {
        if let Some(open) = self.open.pop() {
            self.n_hidden -= usize::from(open.hidden);
            self.n_pre -= usize::from(open.pre);
        }
    }

    /// The number of a list item; `None` where the nearest list shows none.
    fn next_number(&mut self, item: &Tag) -> Option<i64> {
        let list = self.open.iter_mut().rev().find(|open| matches!(&*open.name, "ol" | "ul" | "menu"))?;
        let number = match attribute(item, "value").and_then(|value| value.trim().parse().ok()) {
            Some(number) => number,
            None => list.list?.saturating_add(1),
        };
        list.list = Some(list.list.map(|_| number)?);
        list.list
    }

    fn open_link(&mut self, tag: &Tag) {
        self.close_link();
        if self.n_hidden == 0
            && let Some(href) = attribute(tag, "href")
        {
            self.link = Some(Link { href: href.to_owned(), text: String::new() });
        }
    }

    fn close_link(&mut self) {
        if let Some(link) = self.link.take()
            && self.links.len() < LINKS_MAX
        {
            self.links.push(link);
        }
    }

    fn write(&mut self, c: char) {
        if self.n_chars >= TEXT_CHARS_MAX {
            return;
        }
        let at_line_start = self.body.is_empty() || self.body.ends_with('\n');
        match std::mem::replace(&mut self.due, Due::Nothing) {
            Due::Line if !at_line_start => {
                self.body.push('\n');
                self.n_chars += 1;
            }
            // A line break between two Chinese characters is the editor's, not the author's (CSS Text 3, 4.1.3).
            Due::SourceBreak if is_wide(c) && self.body.chars().next_back().is_some_and(is_wide) => {}
            Due::Space | Due::SourceBreak | Due::Cell if !at_line_start => self.push(' '),
            _ => {}
        }
        if let Some(prefix) = self.prefix_due.take() {
            self.n_chars += prefix.len();
            self.body.push_str(&prefix);
        }
        self.push(c);
    }

    fn push(&mut self, c: char) {
        self.body.push(c);
        self.n_chars += 1;
        if let Some(link) = &mut self.link
            // At most 4 bytes a character: counting them each time would be quadratic.
            && link.text.len() < LINK_CHARS_MAX * 4
            && !(c == ' ' && link.text.is_empty())
        {
            link.text.push(c);
        }
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// The number before the first item of an ordered list that shows numbers.
fn list_start(tag: &Tag, style: &str) -> Option<i64> {
    let unnumbered = ["list-style", "list-style-type"]
        .iter()
        .filter_map(|property| tags::style_value(style, property))
        .any(|value| value.split_whitespace().any(|word| matches!(word, "none" | "disc" | "circle" | "square")));
    if &*tag.name != "ol" || unnumbered {
        return None;
    }
    let start: i64 = attribute(tag, "start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
    Some(start.saturating_sub(1))
}

/// Chinese characters and their punctuation, which no space separates.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FF60}' | '\u{20000}'..='\u{3FFFF}'
        | '“' | '”' | '‘' | '’' | '—' | '…' | '·')
}

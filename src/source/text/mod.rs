//! HTML to plain text: what a reader would see, line by line, and the links in it. Pure.
//!
//! Works on the token stream of html5ever rather than on a tree: the time is linear in the input whatever the nesting,
//! there is no recursion, and no tree of a long article is ever built. It must not know where the text comes from.
//!
//! Lines are separated by one `\n`. Inline elements join without a space (a space that the page does not show would
//! look like a wrong word to the checks), block elements and `<br>` start a new line.

mod tags;
mod writer;

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use url::Url;

use crate::model::post::Link;
pub(super) use tags::without_huge_tags;
use writer::Writer;

/// Most characters kept of one text; a long official document has about 50,000.
pub const TEXT_CHARS_MAX: usize = 200_000;
/// Most HTML read for one text, in bytes; what follows is not read.
pub const HTML_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most links kept of one text.
pub const LINKS_MAX: usize = 500;

/// What a reader sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extract {
    pub body: String,
    pub links: Vec<Link>,
}

/// What a line break in the source of the text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newlines {
    /// White space, as in HTML; between two Chinese characters nothing at all.
    Fold,
    /// A new line: plain text that may hold a few tags.
    Keep,
}

/// Reads HTML. Links are made absolute against `base`; only `http` and `https` ones are kept.
pub fn from_html(html: &str, base: &Url, newlines: Newlines) -> Extract {
    let html = cut(html, HTML_BYTES_MAX);
    let mut writer = Writer::new(newlines);
    // Most titles and many feed descriptions hold no markup at all.
    if !html.contains(['<', '&']) {
        writer.text(html);
        return writer.finish(base);
    }
    let html = without_huge_tags(html);
    let tokenizer = Tokenizer::new(Sink { writer: RefCell::new(writer) }, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&html));
    // Our sink never asks for a script to run, so one call reads everything.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.writer.into_inner().finish(base)
}

/// Reads a one-line text that may hold markup, such as a title.
pub fn line(html: &str) -> String {
    let mut writer = Writer::new(Newlines::Fold);
    if html.contains(['<', '&']) {
        let tokenizer = Tokenizer::new(Sink { writer: RefCell::new(writer) }, TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(cut(html, tags::TAG_BYTES_MAX)));
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        writer = tokenizer.sink.writer.into_inner();
    } else {
        writer.text(html);
    }
    writer.into_body().replace('\n', " ")
}

/// Reads plain text: its lines stay, white space is folded.
pub fn from_plain(text: &str) -> String {
    let mut writer = Writer::new(Newlines::Keep);
    writer.text(text);
    writer.into_body()
}

/// Makes a link absolute; `None` unless it leads to a web page.
pub fn web_url(href: &str, base: &Url) -> Option<Url> {
    // Bridges escape links twice.
    let href: Cow<'_, str> =
        if href.contains("&amp;") { Cow::Owned(href.replace("&amp;", "&")) } else { Cow::Borrowed(href) };
    let href = href.trim();
    if href.is_empty() || href.len() > URL_BYTES_MAX {
        return None;
    }
    base.join(href).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Longest link kept, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// At most `bytes_max` bytes of `text`, ending between two characters.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    &text[..text.floor_char_boundary(bytes_max)]
}

struct Sink {
    writer: RefCell<Writer>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line_number: u64) -> TokenSinkResult<()> {
        let mut writer = self.writer.borrow_mut();
        match token {
            Token::CharacterTokens(text) => writer.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::EndTag => writer.end_tag(&tag.name),
            Token::TagToken(tag) => {
                writer.start_tag(&tag);
                // The tokenizer does not know by itself that these hold text and no tags.
                match &*tag.name {
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "iframe" | "noembed" | "noframes" | "xmp" => {
                        return TokenSinkResult::RawData(RawKind::Rawtext);
                    }
                    "title" | "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => {}
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests;

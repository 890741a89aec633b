//! Messages to people (通知): what is told, before anybody decides to whom and over which channel.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::account::labelled_enum;
use super::digest_hex;

/// Longest title and link text, in characters.
const TITLE_CHARS_MAX: usize = 200;
/// Longest line, in characters.
const LINE_CHARS_MAX: usize = 500;
/// Most lines of one message.
const LINES_MAX: usize = 500;
/// Most links of one message.
const LINKS_MAX: usize = 20;
/// Longest address, in bytes.
const LINK_BYTES_MAX: usize = 2_048;
/// Most files of one message: with its text they fit the pace of a chat robot at once.
pub const FILES_MAX: usize = 7;
/// Longest key kept as it is, in bytes; a longer one is replaced by its digest.
const KEY_BYTES_MAX: usize = 120;

labelled_enum! {
    /// What a message is about: routes choose by it.
    MessageKind {
        Warning = "warning", "预警";
        Serious = "serious", "严重问题";
        Report = "report", "报告";
        Alarm = "alarm", "系统告警";
    }
}

/// An address that a reader may open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub text: String,
    pub url: String,
}

/// One message: plain text, bounded; each channel renders it in its own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub kind: MessageKind,
    /// What makes it this message: told again under the same key, it is the same and not sent twice. For example
    /// `2026-11-19/0` of a report, or the id of a violation.
    pub key: String,
    pub title: String,
    pub lines: Vec<String>,
    pub links: Vec<Link>,
    /// Paths of files that go with it where the channel takes files.
    pub files: Vec<PathBuf>,
}

impl Message {
    pub fn new(kind: MessageKind, key: impl Into<String>, title: impl Into<String>) -> Self {
        Self { kind, key: key.into(), title: title.into(), lines: Vec::new(), links: Vec::new(), files: Vec::new() }
    }

    #[must_use]
    pub fn with_lines(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.lines.extend(lines.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn with_link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.push(Link { text: text.into(), url: url.into() });
        self
    }

    #[must_use]
    pub fn with_files(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.files.extend(files);
        self
    }

    /// The same message within all limits, each text on one line without control characters.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if self.key.len() > KEY_BYTES_MAX || self.key.chars().any(char::is_control) {
            self.key = digest_hex([self.key.as_str()], 32);
        }
        self.title = one_line(&self.title, TITLE_CHARS_MAX);
        let n_left_out = self.lines.len().saturating_sub(LINES_MAX);
        self.lines.truncate(LINES_MAX);
        for line in &mut self.lines {
            *line = one_line(line, LINE_CHARS_MAX);
        }
        if n_left_out > 0 {
            self.lines.push(format!("另有 {n_left_out} 行从略"));
        }
        self.links.retain(|link| link.url.len() <= LINK_BYTES_MAX && is_web_address(&link.url));
        self.links.truncate(LINKS_MAX);
        for link in &mut self.links {
            link.text = one_line(&link.text, TITLE_CHARS_MAX);
        }
        self.files.truncate(FILES_MAX);
        self
    }
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// On one line and not too long: text of posts and of platforms stands in it.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut chars = text.trim().chars().map(|c| if is_break(c) { ' ' } else { c });
    let mut short: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_bounded_and_keeps_to_its_lines() {
        let message = Message::new(MessageKind::Serious, "k".repeat(500), "标题\r\nBcc: x")
            .with_lines((0..600).map(|n| format!("第{n}行\n{}", "长".repeat(600))))
            .with_link("页", "javascript:alert(1)")
            .with_link("页", "https://example.org/")
            .with_files((0..20).map(|n| PathBuf::from(format!("{n}.docx"))))
            .bounded();
        assert_eq!(message.key.len(), 32);
        assert_eq!(message.title, "标题  Bcc: x");
        assert_eq!((message.lines.len(), message.lines[500].as_str()), (501, "另有 100 行从略"));
        assert!(message.lines.iter().all(|line| line.chars().count() <= 501 && !line.contains('\n')));
        assert_eq!((message.links.len(), message.files.len()), (1, FILES_MAX));
    }
}

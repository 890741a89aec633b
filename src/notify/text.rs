//! Messages → text of a channel: Markdown of chat robots, plain text of mail. Cut at character borders. Pure.

use std::fmt::Write as _;

use crate::model::message::Message;

/// What stands at the end of a text that was too long.
const CUT_MARK: &str = "\n……（内容过长，已截断）";

/// How the length of a text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Bytes of UTF-8.
    Bytes,
    /// Bytes as a JSON string, without the quotes.
    Json,
}

impl Measure {
    pub fn of(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Json => text.chars().map(json_bytes).sum(),
        }
    }

    fn of_char(self, c: char) -> usize {
        match self {
            Self::Bytes => c.len_utf8(),
            Self::Json => json_bytes(c),
        }
    }
}

/// The bytes of a character in a JSON string as serde writes it.
fn json_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

/// The text within `max`, cut between two characters and marked where it was too long.
pub(super) fn cut(text: &str, max: usize, measure: Measure) -> String {
    if measure.of(text) <= max {
        return text.to_owned();
    }
    let mark = if measure.of(CUT_MARK) <= max { CUT_MARK } else { "" };
    let mut left = max - measure.of(mark);
    let mut kept = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(measure.of_char(c)) else { break };
        left = rest;
        kept.push(c);
    }
    kept + mark
}

/// One line that says what it is about: the subject of a mail, the title of a card.
pub(super) fn headline(messages: &[&Message]) -> String {
    match messages {
        [] => String::new(),
        [message] => format!("【{}】{}", message.kind.label(), message.title),
        [first, ..] => format!("【{}】{} 等 {} 条消息", first.kind.label(), first.title, messages.len()),
    }
}

/// Markdown that all three chat robots read alike. `notes` say what became of files.
pub(super) fn markdown(messages: &[&Message], notes: &[String]) -> String {
    let mut text = String::new();
    if messages.len() > 1 {
        line(&mut text, format_args!("**共 {} 条消息，合并发送**", messages.len()));
    }
    for (index, message) in messages.iter().enumerate() {
        if messages.len() > 1 {
            text.push('\n');
            line(&mut text, format_args!("**{}. {}**", index + 1, plain(&headline(&[message]))));
        } else {
            line(&mut text, format_args!("**{}**", plain(&headline(&[message]))));
        }
        for told in &message.lines {
            line(&mut text, format_args!("> {}", plain(told)));
        }
        for link in &message.links {
            line(&mut text, format_args!("[{}]({})", plain(&link.text), address(&link.url)));
        }
    }
    for note in notes {
        line(&mut text, format_args!("{}", plain(note)));
    }
    text.truncate(text.trim_end().len());
    text
}

/// Plain text, for mail.
pub(super) fn letter(messages: &[&Message], notes: &[String]) -> String {
    let mut text = String::new();
    for (index, message) in messages.iter().enumerate() {
        if messages.len() > 1 {
            line(&mut text, format_args!("{}. {}", index + 1, headline(&[message])));
        } else {
            line(&mut text, format_args!("{}", headline(&[message])));
        }
        text.push('\n');
        for told in &message.lines {
            line(&mut text, format_args!("{told}"));
        }
        for link in &message.links {
            line(&mut text, format_args!("{}：{}", link.text, link.url));
        }
        text.push('\n');
    }
    for note in notes {
        line(&mut text, format_args!("{note}"));
    }
    line(&mut text, format_args!("（本消息由读网系统自动发送）"));
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(line);
    text.push('\n');
}

/// Text of strangers without the characters that robots take as markup or mentions. None of them documents an escape, so
/// the full-width twins stand in.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' => '＜',
            '>' => '＞',
            '[' => '［',
            ']' => '］',
            '*' => '＊',
            '`' => '｀',
            '_' => '＿',
            '~' => '～',
            '\\' => '＼',
            '#' => '＃',
            '@' => '＠',
            '!' => '！',
            _ => c,
        })
        .collect()
}

/// An address that does not end its Markdown link.
fn address(url: &str) -> String {
    let parsed = url::Url::parse(url).map_or_else(|_| String::new(), String::from);
    parsed.replace('(', "%28").replace(')', "%29").replace('<', "%3C").replace('>', "%3E")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::message::MessageKind;

    #[test]
    fn a_message_becomes_markdown_without_markup_of_strangers() {
        let message = Message::new(MessageKind::Serious, "k", "出现<@all>[链接](http://x)")
            .with_lines(["**布署** <font color=\"warning\">"])
            .with_link("原文", "https://example.org/a(b)?c=<d>");
        let expected = "**【严重问题】出现＜＠all＞［链接］(http://x)**\n> ＊＊布署＊＊ ＜font color=\"warning\"＞\n\
                        [原文](https://example.org/a%28b%29?c=%3Cd%3E)\n附件：a.docx";
        assert_eq!(markdown(&[&message], &["附件：a.docx".to_owned()]), expected);
    }

    #[test]
    fn several_messages_are_numbered() {
        let first = Message::new(MessageKind::Warning, "a", "甲").with_lines(["一"]);
        let second = Message::new(MessageKind::Alarm, "b", "乙");
        let text = markdown(&[&first, &second], &[]);
        assert_eq!(text, "**共 2 条消息，合并发送**\n\n**1. 【预警】甲**\n> 一\n\n**2. 【系统告警】乙**");
        assert_eq!(headline(&[&first, &second]), "【预警】甲 等 2 条消息");
        assert!(letter(&[&first, &second], &[]).starts_with("1. 【预警】甲\n\n一\n\n2. 【系统告警】乙\n"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let check = |text: &str, max, expected: &str| assert_eq!(cut(text, max, Measure::Bytes), expected);
        check("云岭", 6, "云岭");
        check("云岭", 5, "云");
        check("云岭", 2, "");
        let mark = CUT_MARK.len();
        check(&"云".repeat(100), 7 + mark, &format!("云云{CUT_MARK}"));
        assert_eq!(cut("\"云\"", 5, Measure::Json), "\"云");
    }

    proptest! {
        #[test]
        fn no_cut_text_is_longer_than_allowed(text in "\\PC*|[\\x00-\\x7f]*", max in 0usize..200) {
            prop_assert!(cut(&text, max, Measure::Bytes).len() <= max);
            let json = serde_json::to_string(&cut(&text, max, Measure::Json)).unwrap();
            prop_assert!(json.len() <= max + 2);
        }
    }
}

//! What the words around a hit say about it: quoted, denied, or itself a correction.

use std::ops::Range;

/// How far before and after a hit is looked, in characters of its line.
const AROUND_CHARS: usize = 12;
/// How far the words that deny a hit may stand before it, in characters.
const DENIAL_CHARS: usize = 6;

/// Marks that open and close a quotation or a title.
const OPENING: &[char] = &['“', '‘', '《', '「', '『', '〈'];
const CLOSING: &[char] = &['”', '’', '》', '」', '』', '〉'];

/// Before a word that is spoken of in order to refuse it.
const DENIALS: &[&str] = &[
    "所谓",
    "不得",
    "禁止",
    "严禁",
    "不能",
    "不要",
    "不应",
    "不使用",
    "不称",
    "避免",
    "杜绝",
    "反对",
    "打击",
    "抵制",
    "批判",
    "取缔",
    "防范",
    "禁用",
    "慎用",
];
/// Beside a wrong form that is put right in the same breath.
const CORRECTIONS_AFTER: &[&str] =
    &["应为", "应改为", "应写作", "改为", "更正为", "是错", "有误", "误写", "不规范", "错误"];
const CORRECTIONS_BEFORE: &[&str] = &[
    "误写",
    "错写",
    "写成",
    "误为",
    "错别字",
    "误将",
    "错将",
    "混淆",
    "误作",
    "不写",
    "本作",
    "古作",
    "旧作",
    "也作",
    "又作",
    "亦作",
];

/// Bytes `start..end` with at most `n_chars` characters of their line on either side.
pub(super) fn reach(text: &str, start: usize, end: usize, n_chars: usize) -> Range<usize> {
    let width = |chars: &mut dyn Iterator<Item = char>| -> usize {
        chars.take(n_chars).take_while(|c| !matches!(c, '\n' | '\r')).map(char::len_utf8).sum()
    };
    let before = width(&mut text[..start].chars().rev());
    let after = width(&mut text[end..].chars());
    start - before..end + after
}

/// The characters of the line before and after bytes `start..end`, at most [`AROUND_CHARS`] each.
pub(super) fn around(text: &str, start: usize, end: usize) -> (&str, &str) {
    let reach = reach(text, start, end, AROUND_CHARS);
    (&text[reach.start..start], &text[end..reach.end])
}

/// Whether the words stand in quotation marks or in a title.
pub(super) fn is_quoted(before: &str, after: &str) -> bool {
    let opens = before.rfind(OPENING).is_some_and(|open| !before[open..].contains(CLOSING));
    let closes = after.find(CLOSING).is_some_and(|close| !after[..close].contains(OPENING));
    opens && closes
}

/// Whether the words before or after refuse them, or put them right.
pub(super) fn is_denied(before: &str, after: &str) -> bool {
    let near = before.char_indices().rev().nth(DENIAL_CHARS - 1).map_or(before, |(at, _)| &before[at..]);
    DENIALS.iter().any(|denial| near.contains(denial)) || is_corrected(before, after)
}

/// Whether the wrong form is spoken of as one: “布署”应为“部署”.
pub(super) fn is_corrected(before: &str, after: &str) -> bool {
    let quoted = before.ends_with(OPENING) && after.starts_with(CLOSING);
    quoted
        && (CORRECTIONS_AFTER.iter().any(|words| after.contains(words))
            || CORRECTIONS_BEFORE.iter().any(|words| before.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(text: &'a str, words: &str) -> (&'a str, &'a str) {
        let start = text.find(words).unwrap();
        around(text, start, start + words.len())
    }

    #[test]
    fn quotation_marks_and_titles_enclose() {
        let quoted = |text| {
            let (before, after) = at(text, "词");
            is_quoted(before, after)
        };
        assert!(quoted("称其为“某词组”的说法"));
        assert!(quoted("读《错词辨析》一书"));
        assert!(!quoted("读《论语》谈词语“之美”"));
        assert!(!quoted("“一\n词”"));
    }

    #[test]
    fn denial_stands_close_before() {
        let denied = |text| {
            let (before, after) = at(text, "词");
            is_denied(before, after)
        };
        assert!(denied("新闻报道中不得使用词"));
        assert!(!denied("不得迟到早退，并且要说明词"));
    }

    #[test]
    fn a_wrong_form_put_right_is_spoken_of() {
        let corrected = |text| {
            let (before, after) = at(text, "布署");
            is_corrected(before, after)
        };
        assert!(corrected("“布署”应为“部署”"));
        assert!(corrected("把“部署”误写为“布署”。"));
        assert!(!corrected("会议布署工作，应改为线上"));
    }
}

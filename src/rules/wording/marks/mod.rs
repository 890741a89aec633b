//! Rules that no list can hold: punctuation (标点), numbers (数字), repeated words and single traditional characters.
//!
//! They read the text as it was written, because the normaliser folds the very differences they look for. They only ask
//! (tier B): a layout, a picture that stood between, a quotation or a poem may be the reason, and a person sees that at
//! once.

mod numbers;
mod punctuation;
mod repeated;
mod traditional;

use super::privacy::CharCursor;
use crate::model::violation::{Finding, Severity, Tier, WordingClass};

/// Most findings of each rule in one text.
pub(super) const EACH_MAX: usize = 10;

/// A place that a rule speaks of; bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    start: usize,
    end: usize,
    rule: Rule,
    /// The words that should stand there, where that is known.
    right: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// One mark written twice: ，，.
    Doubled,
    /// Two marks of which only one can be meant: ，。.
    Adjacent,
    /// A western full stop after Chinese.
    FullStop,
    /// A quotation or title mark without its fellow.
    Unpaired,
    /// A word written twice: 网站网站.
    Repeated,
    /// A traditional character in simplified text.
    Traditional,
    /// 下降三倍.
    Decrease,
    /// 首先…其次…第三….
    Ordinals,
    /// 《关于加强…意见的函》.
    DocumentKind,
}

impl Rule {
    const fn entry(self) -> &'static str {
        match self {
            Self::Doubled => "mark-doubled",
            Self::Adjacent => "mark-adjacent",
            Self::FullStop => "mark-full-stop",
            Self::Unpaired => "mark-unpaired",
            Self::Repeated => "mark-repeated",
            Self::Traditional => "mark-traditional",
            Self::Decrease => "mark-decrease",
            Self::Ordinals => "mark-ordinals",
            Self::DocumentKind => "mark-document-kind",
        }
    }

    const fn class(self) -> WordingClass {
        match self {
            Self::Repeated | Self::Traditional => WordingClass::Typo,
            _ => WordingClass::Wording,
        }
    }

    const fn severity(self) -> Severity {
        match self {
            Self::Repeated | Self::Traditional => Severity::Minor,
            _ => Severity::Hint,
        }
    }

    const fn basis(self) -> &'static str {
        match self {
            Self::Doubled | Self::Adjacent | Self::FullStop | Self::Unpaired | Self::Ordinals => {
                "《标点符号用法》（GB/T 15834—2011）"
            }
            Self::Repeated => "文字重复，机器推断，须经人工核对",
            Self::Traditional => "《中华人民共和国国家通用语言文字法》；《通用规范汉字表》",
            Self::Decrease => "数量减少不用倍数表示；《出版物上数字用法》（GB/T 15835—2011）",
            Self::DocumentKind => "《党政机关公文处理工作条例》",
        }
    }

    fn message(self, words: &str, right: Option<&str>) -> String {
        match (self, right) {
            (Self::Doubled, Some(right)) => format!("请核对：标点“{words}”是否重复，是否应为“{right}”"),
            (Self::FullStop, _) => "请核对：句末是否应使用中文句号“。”".to_owned(),
            (Self::Unpaired, _) => format!("请核对：“{words}”是否缺少与之配对的标点"),
            (Self::Repeated, Some(right)) => format!("请核对：“{words}”是否重复，是否应为“{right}”"),
            (Self::Traditional, Some(right)) => format!("请核对：“{words}”含繁体字，规范字形为“{right}”"),
            (Self::Decrease, _) => format!("请核对：“{words}”以“倍”表示减少，是否应改用百分数或分数"),
            (Self::Ordinals, Some(right)) => {
                format!("请核对：“{words}”与“首先”“其次”混用，是否应为“{right}”")
            }
            (Self::DocumentKind, _) => format!("请核对：公文标题中“{words}”是否文种重复"),
            (Self::Adjacent, _) => format!("请核对：“{words}”两个标点相连，是否多用了一个"),
            (_, None) => format!("请核对：“{words}”使用是否恰当"),
        }
    }
}

/// What the rules find in a text, in its order; offsets are Unicode characters. The normaliser knows the bytes of the
/// traditional characters.
pub(super) fn findings(text: &str, traditional: &[usize]) -> Vec<Finding> {
    let mut marks = Vec::new();
    punctuation::find(text, &mut marks);
    repeated::find(text, &mut marks);
    if !traditional.is_empty() {
        traditional::find(text, traditional, &mut marks);
    }
    numbers::find(text, &mut marks);
    marks.sort_by_key(|mark| (mark.start, mark.end));
    let mut cursor = CharCursor::new(text);
    let mut findings = Vec::new();
    for mark in marks {
        let start = cursor.char_of(mark.start);
        let end = cursor.char_of(mark.end);
        let words = &text[mark.start..mark.end];
        findings.push(Finding {
            start,
            end,
            text: words.to_owned(),
            class: mark.rule.class(),
            severity: mark.rule.severity(),
            tier: Tier::B,
            entry: mark.rule.entry().to_owned(),
            message: mark.rule.message(words, mark.right.as_deref()),
            basis: mark.rule.basis().to_owned(),
            suggestion: mark.right,
        });
    }
    findings
}

/// Adds to `marks` what a rule found, the first [`EACH_MAX`] of it.
fn add(marks: &mut Vec<Mark>, rule: Rule, found: impl Iterator<Item = (usize, usize, Option<String>)>) {
    marks.extend(found.take(EACH_MAX).map(|(start, end, right)| Mark { start, end, rule, right }));
}

#[cfg(test)]
mod tests;

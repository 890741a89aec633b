//! Personal data in a text (个人信息): finds full numbers, masks them, and words the finding.
//!
//! Found: resident identity numbers with a valid check digit (GB 11643), mainland mobile numbers, bank cards with a valid
//! Luhn digit; and, as suspects, passport numbers and vehicle plates, which have no check digit. Not looked at: office landlines, hotlines, document and order numbers, numbers inside a web address,
//! numbers already masked. Only masked text is stored (design.md §2), so masking keeps the number of characters and the
//! finding is made from the place that was masked.
//!
//! A mobile number that the text itself offers as a contact is still a full personal number on a public page; it is
//! reported as `minor`, everything else as `major`.

mod number;
mod papers;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use self::number::{Number, Scanner};
use super::normalise::Normalised;
use crate::model::violation::{Finding, Severity, Tier, WordingClass};

/// Most findings for the numbers of one text; the masks have no such limit, all of a long table is hidden.
pub const PRIVACY_FINDINGS_MAX: usize = 200;

/// How far before a mobile number the word that offers it as a contact may stand, in characters.
const CONTACT_CHARS: usize = 16;

/// Words that offer a number as a contact.
const CONTACT_WORDS: &[&str] =
    &["联系电话", "咨询电话", "热线", "电话", "联系人", "联系方式", "手机", "咨询", "报名", "微信同号", "tel"];

/// The documents behind the findings.
const BASIS: &str = "《中华人民共和国个人信息保护法》；《政府网站与政务新媒体检查指标》";

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyKind {
    Id,
    Mobile,
    Bankcard,
    Passport,
    Plate,
}

impl PrivacyKind {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Id => "居民身份证号码",
            Self::Mobile => "手机号码",
            Self::Bankcard => "银行卡号",
            Self::Passport => "护照号码",
            Self::Plate => "车牌号码",
        }
    }

    const fn entry(self) -> &'static str {
        match self {
            Self::Id => "privacy-id",
            Self::Mobile => "privacy-mobile",
            Self::Bankcard => "privacy-bankcard",
            Self::Passport => "privacy-passport",
            Self::Plate => "privacy-plate",
        }
    }

    /// How many digits stay readable at the start and at the end.
    const fn shown(self) -> (usize, usize) {
        match self {
            Self::Id => (3, 2),
            Self::Mobile => (3, 4),
            Self::Bankcard => (6, 4),
            Self::Passport | Self::Plate => (2, 2),
        }
    }

    /// What a check digit, or the prefixes handed out, prove counts; what only looks like a number is a suspect.
    const fn tier(self) -> Tier {
        match self {
            Self::Id | Self::Mobile | Self::Bankcard => Tier::A,
            Self::Passport | Self::Plate => Tier::B,
        }
    }
}

/// A full personal number in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacyHit {
    pub kind: PrivacyKind,
    /// The character of each digit, ascending; between them may stand separators and invisible characters.
    digits: Vec<usize>,
}

impl PrivacyHit {
    /// First character, and one past the last.
    pub fn span(&self) -> (usize, usize) {
        (self.digits.first().copied().unwrap_or(0), self.digits.last().map_or(0, |last| last + 1))
    }
}

/// A number that was masked, in Unicode characters of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedSpan {
    pub start: usize,
    pub end: usize,
    pub kind: PrivacyKind,
}

/// Every full personal number, in the order of the text.
pub fn find(text: &str) -> Vec<PrivacyHit> {
    let (with_numbers, with_papers) = (may_hold_a_number(text), papers::may_be_in(text));
    if !with_numbers && !with_papers {
        return Vec::new();
    }
    let normalised = Normalised::new(text);
    let mut numbers: Vec<Number> = if with_numbers { Scanner::new(normalised.text()).collect() } else { Vec::new() };
    if with_papers {
        numbers.extend(papers::find(normalised.text()));
        numbers.sort_by(|a, b| a.digits.cmp(&b.digits));
    }
    let mut spans = normalised.spans();
    let mut original = |at: &usize| {
        let width = normalised.text()[*at..].chars().next().map_or(1, char::len_utf8);
        spans.original(*at, at + width).0
    };
    numbers
        .iter()
        .map(|number| PrivacyHit { kind: number.kind, digits: number.digits.iter().map(&mut original).collect() })
        .collect()
}

/// Replaces the middle of every full number by `*`, one for each digit, so that offsets stay as they are.
pub fn mask(text: &str) -> (Cow<'_, str>, Vec<MaskedSpan>) {
    let hits = find(text);
    if hits.is_empty() {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut hidden = hits
        .iter()
        .flat_map(|hit| {
            let (first, last) = hit.kind.shown();
            hit.digits.iter().copied().take(hit.digits.len() - last).skip(first)
        })
        .peekable();
    let masked = text.chars().enumerate().map(|(i, c)| if hidden.next_if_eq(&i).is_some() { '*' } else { c }).collect();
    let spans = hits.iter().map(|hit| {
        let (start, end) = hit.span();
        MaskedSpan { start, end, kind: hit.kind }
    });
    (Cow::Owned(masked), spans.collect())
}

/// The findings for numbers that were masked; spans that do not lie in the text are left out.
pub fn findings_of(spans: &[MaskedSpan], masked_text: &str) -> Vec<Finding> {
    let mut cursor = CharCursor::new(masked_text);
    let mut findings = Vec::new();
    for span in spans.iter().take(PRIVACY_FINDINGS_MAX) {
        let (Some(start), Some(end)) = (cursor.byte_of(span.start), cursor.byte_of(span.end)) else { continue };
        let shown = &masked_text[start..end];
        let tier = span.kind.tier();
        let severity = match span.kind {
            _ if tier == Tier::B => Severity::Minor,
            PrivacyKind::Mobile if is_offered_as_contact(&masked_text[..start]) => Severity::Minor,
            _ => Severity::Major,
        };
        findings.push(Finding {
            start: span.start,
            end: span.end,
            text: shown.to_owned(),
            suggestion: None,
            class: WordingClass::Privacy,
            severity,
            tier,
            entry: span.kind.entry().to_owned(),
            message: match tier {
                Tier::A => format!("公开了完整的{}“{shown}”，请删除或作脱敏处理", span.kind.label()),
                Tier::B => format!("请核对：“{shown}”是否为个人的{}，是否应作脱敏处理", span.kind.label()),
            },
            basis: BASIS.to_owned(),
        });
    }
    findings
}

/// Turns ascending character offsets into byte offsets, and back, without starting over.
pub(super) struct CharCursor<'a> {
    text: &'a str,
    n_chars: usize,
    byte: usize,
}

impl<'a> CharCursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, n_chars: 0, byte: 0 }
    }

    /// The byte at which a character starts, or the end of the text; `None` beyond it.
    pub(super) fn byte_of(&mut self, char_index: usize) -> Option<usize> {
        if char_index < self.n_chars {
            (self.n_chars, self.byte) = (0, 0);
        }
        let mut rest = self.text[self.byte..].chars();
        for _ in self.n_chars..char_index {
            rest.next()?;
        }
        self.byte = self.text.len() - rest.as_str().len();
        self.n_chars = char_index;
        Some(self.byte)
    }

    /// The character that starts at a byte, which must be a border of characters.
    pub(super) fn char_of(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            (self.n_chars, self.byte) = (0, 0);
        }
        self.n_chars += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.n_chars
    }
}

fn is_offered_as_contact(before: &str) -> bool {
    let start = before.char_indices().rev().nth(CONTACT_CHARS - 1).map_or(0, |(at, _)| at);
    let line = before[start..].rsplit(['\n', '\r']).next().unwrap_or_default().to_lowercase();
    CONTACT_WORDS.iter().any(|word| line.contains(word))
}

/// Whether there are enough digits, of either width, for the shortest number. Most texts have none and stop here.
fn may_hold_a_number(text: &str) -> bool {
    const DIGITS_MIN: usize = 11;
    let bytes = text.as_bytes();
    let is_wide_digit = |at: &usize| matches!(bytes[*at..], [_, 0xbc, 0x90..=0x99, ..]);
    let n_plain = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    n_plain >= DIGITS_MIN || n_plain + memchr::memchr_iter(0xef, bytes).filter(is_wide_digit).count() >= DIGITS_MIN
}

#[cfg(test)]
mod tests;

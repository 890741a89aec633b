//! Problems: what a check found, and what is stored of it (问题).

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::account::labelled_enum;
use super::{AccountId, PostId, ViolationId, digest_hex};

labelled_enum! {
    /// Severity (级别).
    Severity {
        /// Veto class.
        Serious = "serious", "严重";
        Major = "major", "较重";
        Minor = "minor", "一般";
        Hint = "hint", "提示";
    }
}

labelled_enum! {
    /// Evidence tier of a wording finding (design.md §4): `A` counts, `B` is a suspect (疑似) that waits for a person.
    Tier {
        A = "A", "确认";
        B = "B", "疑似";
    }
}

labelled_enum! {
    /// What a wording finding is about (问题类别).
    WordingClass {
        /// A near miss of a protected term: country, institution, meeting, slogan.
        Protected = "protected", "规范表述错误";
        Typo = "typo", "错别字";
        /// Non-standard wording.
        Wording = "wording", "表述不规范";
        Sensitive = "sensitive", "敏感词";
        Privacy = "privacy", "个人信息泄露";
    }
}

/// What the wording check found at one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// First character, counted in Unicode characters of the text.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// The words found; personal data masked.
    pub text: String,
    /// The right form, where there is one.
    pub suggestion: Option<String>,
    pub class: WordingClass,
    pub severity: Severity,
    pub tier: Tier,
    /// Id of the word-list entry or generated rule.
    pub entry: String,
    /// One Chinese sentence for the person who must act.
    pub message: String,
    /// The document or standard behind the entry.
    pub basis: String,
}

labelled_enum! {
    /// What kind of problem it is.
    ViolationKind {
        /// A frequency rule was not met.
        Frequency = "frequency", "更新不及时";
        Wording = "wording", "错敏信息";
        /// The registry itself is out of order.
        Registry = "registry", "账号管理";
        /// A link in a post is dead, or leads where no office should send its readers.
        Link = "link", "错链死链";
    }
}

labelled_enum! {
    /// Where a violation stands (状态).
    ViolationState {
        /// Waits for a person to confirm it; never in the published report.
        Suspect = "suspect", "疑似待确认";
        Open = "open", "待整改";
        /// A later version of the post no longer holds the words (machine-checked).
        Rectified = "rectified", "已整改";
        /// The post was deleted: the words are gone, but nobody corrected them.
        Removed = "removed", "已删除";
        /// The finding no longer holds: later evidence, or the entry was taken back.
        Withdrawn = "withdrawn", "已撤销";
    }
}

/// A stored problem with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub id: ViolationId,
    pub kind: ViolationKind,
    pub account: AccountId,
    pub post: Option<PostId>,
    /// Rule id, word entry id or registry check.
    pub subject: String,
    pub severity: Severity,
    pub tier: Tier,
    pub class: Option<WordingClass>,
    pub state: ViolationState,
    pub message: String,
    pub basis: String,
    /// What was found, masked: the words, or `counted/required`.
    pub found: String,
    pub suggestion: Option<String>,
    /// Words around the finding, with the finding between the two parts.
    pub context: Option<Context>,
    /// Place in the stored text, in Unicode characters.
    pub span: Option<(usize, usize)>,
    /// How often it stands in the post.
    pub occurrences: u32,
    /// Version of the post's text, and of the word lists, that it was found with.
    pub post_version: Option<u32>,
    pub lists_version: Option<String>,
    /// The period judged, for a frequency violation.
    pub window: Option<super::week::Window>,
    pub first_seen_at: DateTime<Utc>,
}

/// The words before and after a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Context {
    pub before: String,
    pub after: String,
}

impl Context {
    /// The words around a place of a text, within its line and at most `chars_max` characters on either side.
    pub fn around(text: &str, start: usize, end: usize, chars_max: usize) -> Self {
        let offset = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(offset, _)| offset);
        let (before, after) = (&text[..offset(start)], &text[offset(end)..]);
        let line_before = before.rsplit('\n').next().unwrap_or_default();
        let line_after = after.split('\n').next().unwrap_or_default();
        let n_skipped = line_before.chars().count().saturating_sub(chars_max);
        Self {
            before: line_before.chars().skip(n_skipped).collect(),
            after: line_after.chars().take(chars_max).collect(),
        }
    }
}

/// A violation, with the post it was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViolationRecord {
    pub violation: Violation,
    pub post: Option<PostRef>,
}

/// What a reader needs to find a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostRef {
    pub title: String,
    /// As the source gave it: shown as a link only if it is `http` or `https`.
    pub url: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
}

impl ViolationId {
    /// The id of a problem from its natural key: `W-` wording, `F-` frequency, `R-` registry, `L-` link, and twelve hex digits.
    pub fn derive<'a>(kind: ViolationKind, natural_key: impl IntoIterator<Item = &'a str>) -> Self {
        let letter = match kind {
            ViolationKind::Frequency => 'F',
            ViolationKind::Wording => 'W',
            ViolationKind::Registry => 'R',
            ViolationKind::Link => 'L',
        };
        Self::new(format!("{letter}-{}", digest_hex(natural_key, 12)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_problem_has_the_same_id() {
        let id = |key: [&str; 2]| ViolationId::derive(ViolationKind::Wording, key);
        assert_eq!(id(["post-1", "entry"]), id(["post-1", "entry"]));
        assert_ne!(id(["post-1", "entry"]), id(["post-2", "entry"]));
        assert!(id(["post-1", "entry"]).as_str().starts_with("W-"));
    }
}

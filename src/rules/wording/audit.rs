//! Whether lists that are free of faults make sense together: entries that never speak, that accuse what another holds
//! right, or whose time is over (`duwang wordlist check`).
//!
//! The checker itself is asked: what it says of an entry's own words is what it will say in a text.

use std::fmt;

use chrono::NaiveDate;

use super::Checker;
use super::wordlist::{Entry, Lists, Origin};
use crate::model::violation::{Finding, Tier};

/// Something that the keeper of the lists should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub origin: Origin,
    pub id: String,
    pub kind: RemarkKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// Another entry or term speaks of the word in its place, always.
    Shadowed { by: String },
    /// What the entry suggests, or the protected term, is itself found wrong.
    Contradicted { words: String, by: String },
    /// It held up to a day that is over.
    Expired { on: NaiveDate },
}

impl Remark {
    /// Whether the lists would accuse what they themselves hold right.
    pub const fn is_contradiction(&self) -> bool {
        matches!(self.kind, RemarkKind::Contradicted { .. })
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, id, kind } = self;
        write!(f, "{}:{}: `{id}`: ", origin.file, origin.line)?;
        match kind {
            RemarkKind::Shadowed { by } => write!(f, "never speaks, `{by}` does in its place; remove one of the two"),
            RemarkKind::Contradicted { words, by } => {
                write!(f, "holds `{words}` right, but `{by}` finds it wrong; correct one of the two")
            }
            RemarkKind::Expired { on } => write!(f, "held up to {on}; keep it for posts of that time, or remove it"),
        }
    }
}

/// All remarks on lists and the checker made of them, in the order of the lists.
pub fn audit(lists: &Lists, checker: &Checker, today: NaiveDate) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for entry in &lists.entries {
        let on = entry.in_force.from.or(entry.in_force.to).unwrap_or(today);
        let remark = |kind| Remark { origin: entry.origin.clone(), id: entry.id.clone(), kind };
        remarks.extend(shadow(entry, &checker.check(&entry.word, on)).map(remark));
        if let Some(right) = &entry.right {
            remarks.extend(contradiction(right, &checker.check(right, on)).map(remark));
        }
        let ended = entry.in_force.to.filter(|to| *to < today);
        remarks.extend(ended.map(|on| remark(RemarkKind::Expired { on })));
    }
    for term in &lists.terms {
        let on = term.in_force.from.or(term.in_force.to).unwrap_or(today);
        let remark = |kind| Remark { origin: term.origin.clone(), id: term.id.clone(), kind };
        // An allow phrase of a term may well be wrong, if an entry speaks of it with better words.
        remarks.extend(contradiction(&term.term, &checker.check(&term.term, on)).map(remark));
        let ended = term.in_force.to.filter(|to| *to < today);
        remarks.extend(ended.map(|on| remark(RemarkKind::Expired { on })));
    }
    remarks
}

/// An entry without conditions of which nothing is said where its word stands alone, but something else is.
fn shadow(entry: &Entry, findings: &[Finding]) -> Option<RemarkKind> {
    if !entry.needs.is_empty() || findings.iter().any(|finding| finding.entry == entry.id) {
        return None;
    }
    let in_its_place = findings.iter().find(|finding| finding.tier == Tier::A || finding.tier == entry.tier)?;
    Some(RemarkKind::Shadowed { by: in_its_place.entry.clone() })
}

fn contradiction(words: &str, findings: &[Finding]) -> Option<RemarkKind> {
    let wrong = findings.iter().find(|finding| finding.tier == Tier::A)?;
    Some(RemarkKind::Contradicted { words: words.to_owned(), by: wrong.entry.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 6, 1).unwrap_or_default()
    }

    /// Id and kind of each remark on the rows of a list, as it is shown.
    fn check(rows: &str, terms: &str, expected: &[&str]) {
        let terms = format!("id\tterm\tkind\tallow\tfrom\tto\tsource\n{terms}");
        let files = [("a.tsv", format!("{HEADER}{rows}")), ("protected.tsv", terms)];
        let lists = Lists::read(&files).unwrap();
        let checker = Checker::from_files(&files).unwrap();
        let shown: Vec<String> = audit(&lists, &checker, day()).iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn lists_that_make_sense_need_no_remark() {
        check("a\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t词典\n", "t\t人民政府\t机构\t\t\t\t宪法\n", &[]);
    }

    #[test]
    fn an_entry_in_whose_place_a_term_speaks_is_shadowed() {
        check(
            "a\t人民攻府\t人民政府\ttypo\tminor\tA\t\t\t\t\t\t词典\n",
            "t\t人民政府\t机构\t\t\t\t宪法\n",
            &["a.tsv:2: `a`: never speaks, `t` does in its place; remove one of the two"],
        );
    }

    #[test]
    fn a_right_form_that_is_found_wrong_contradicts() {
        check(
            "a\t部暑\t布署\ttypo\tminor\tA\t\t\t\t\t\t词典\nb\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t词典\n",
            "t\t布署委员会\t机构\t\t\t\t宪法\n",
            &[
                "a.tsv:2: `a`: holds `布署` right, but `b` finds it wrong; correct one of the two",
                "protected.tsv:2: `t`: holds `布署委员会` right, but `b` finds it wrong; correct one of the two",
            ],
        );
    }

    #[test]
    fn an_entry_whose_time_is_over_is_named() {
        check(
            "a\t布署\t部署\ttypo\tminor\tA\t\t\t\t2020-01-01\t2021-01-01\t词典\n",
            "",
            &["a.tsv:2: `a`: held up to 2021-01-01; keep it for posts of that time, or remove it"],
        );
    }

    #[test]
    fn the_built_in_lists_neither_contradict_nor_shadow_each_other() {
        let lists = Lists::read(built_in::LISTS).unwrap();
        let checker = Checker::built_in().unwrap();
        let remarks = audit(&lists, &checker, day());
        let shown: Vec<String> = remarks.iter().map(ToString::to_string).collect();
        assert_eq!(shown, Vec::<String>::new());
    }
}

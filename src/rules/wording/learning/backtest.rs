//! What a changed list would find and no longer find in texts that are stored (回溯测试).

use std::collections::{BTreeMap, HashSet};

use super::super::wordlist::{self, ListKind, Lists, WordlistError};
use crate::model::PostId;
use crate::model::violation::{Context, Finding, Tier};

/// Examples kept of what one entry adds, and of what it takes away.
pub const EXAMPLES_MAX: usize = 3;
/// Characters of context on either side of an example.
const CONTEXT_CHARS: usize = 12;

/// The lists as they would be with a further file (name, text): it takes the place of the file of its name. Otherwise it is
/// added, and its entries take the place of loaded ones that speak of the same words at the same time: a word stands in the
/// lists once. Faults of the file are told when the checker is built.
pub fn lists_with(lists: &[(String, String)], name: &str, text: &str) -> Vec<(String, String)> {
    let mut with: Vec<(String, String)> = lists.iter().filter(|(listed, _)| listed != name).cloned().collect();
    let is_added = with.len() == lists.len();
    if is_added && let Ok(candidates) = wordlist::parse(name, text) {
        let loaded = with.iter().filter(|(listed, _)| ListKind::of(listed) == ListKind::Entries);
        let loaded = loaded.flat_map(|(listed, text)| wordlist::parse(listed, text).unwrap_or_default());
        // Whoever comes second is named; the lists as they stand have no such fault.
        let entries = candidates.into_iter().chain(loaded).collect();
        let replaced: HashSet<(String, usize)> = Lists { entries, ..Lists::default() }
            .cross_check()
            .into_iter()
            .filter(|error| error.column == Some("word") && error.file != name)
            .map(|WordlistError { file, line, .. }| (file, line))
            .collect();
        for (listed, text) in &mut with {
            if replaced.iter().any(|(file, _)| file == listed) {
                let is_kept = |line: usize| !replaced.contains(&(listed.clone(), line));
                // An empty line keeps the numbers of those after it.
                let lines = text.lines().enumerate().map(|(n, line)| if is_kept(n + 1) { line } else { "" });
                *text = lines.collect::<Vec<_>>().join("\n");
            }
        }
    }
    with.push((name.to_owned(), text.to_owned()));
    with
}

/// A stored text of which both sets of lists are asked.
#[derive(Clone, Copy, Debug)]
pub struct TextOfPost<'a> {
    pub post: PostId,
    pub title: &'a str,
    pub text: &'a str,
}

/// A place that one of the two finds and the other does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub post: PostId,
    pub title: String,
    pub words: String,
    pub suggestion: Option<String>,
    pub context: Context,
}

/// What would be found anew, or no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Problems: the same words of one entry in one post are one problem, as they are in the store.
    pub n_problems: u64,
    /// The first few.
    pub examples: Vec<Example>,
}

/// How an entry does with the new lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryDifference {
    pub added: Difference,
    pub removed: Difference,
}

/// The whole comparison; its size depends on the entries, not on the posts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub n_posts: u64,
    pub n_posts_changed: u64,
    pub by_entry: BTreeMap<(String, Tier), EntryDifference>,
}

impl Comparison {
    /// Problems added and removed, of both tiers.
    pub fn totals(&self) -> (u64, u64) {
        let sum =
            |of: fn(&EntryDifference) -> &Difference| self.by_entry.values().map(|entry| of(entry).n_problems).sum();
        (sum(|entry| &entry.added), sum(|entry| &entry.removed))
    }

    /// Takes in what the lists as they stand, and the new ones, find in a text.
    pub fn take(&mut self, text: TextOfPost<'_>, now: &[Finding], then: &[Finding]) {
        let (now, then) = (problems(now), problems(then));
        let added = then.iter().filter(|(problem, _)| !now.contains_key(*problem));
        let removed = now.iter().filter(|(problem, _)| !then.contains_key(*problem));
        let mut is_changed = false;
        for ((entry, tier, _), finding) in added {
            self.of(entry, *tier).added.add(text, finding);
            is_changed = true;
        }
        for ((entry, tier, _), finding) in removed {
            self.of(entry, *tier).removed.add(text, finding);
            is_changed = true;
        }
        self.n_posts += 1;
        self.n_posts_changed += u64::from(is_changed);
    }

    fn of(&mut self, entry: &str, tier: Tier) -> &mut EntryDifference {
        self.by_entry.entry((entry.to_owned(), tier)).or_default()
    }
}

impl Difference {
    fn add(&mut self, text: TextOfPost<'_>, finding: &Finding) {
        self.n_problems += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Example {
                post: text.post,
                title: text.title.to_owned(),
                words: finding.text.clone(),
                suggestion: finding.suggestion.clone(),
                context: Context::around(text.text, finding.start, finding.end, CONTEXT_CHARS),
            });
        }
    }
}

/// The problems of one text, each with its first finding.
fn problems(findings: &[Finding]) -> BTreeMap<(&str, Tier, &str), &Finding> {
    let mut problems = BTreeMap::new();
    for finding in findings {
        problems.entry((finding.entry.as_str(), finding.tier, finding.text.as_str())).or_insert(finding);
    }
    problems
}

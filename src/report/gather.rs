//! The problems of the week, with the names of those they concern.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::input::WeeklyInput;
use super::judged::JudgedAccount;
use super::roll_up::local;
use super::text::{self, TEXT_CHARS_MAX, TITLE_CHARS_MAX, clean};
use super::violations::frequency_violation;
use super::weekly::{AccountRef, ClassCount, LocalSpan, PostLine, Problem, SeverityCount, WordingTally};
use crate::model::account::AccountKind;
use crate::model::verdict::Verdict;
use crate::model::violation::{Context, Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use crate::model::violation::{PostRef, ViolationRecord};
use crate::model::week::{Calendar, Window};
use crate::model::{AccountId, UnitId};

/// Who each account is, and its place in the order of reports.
#[derive(Debug)]
pub struct Names {
    by_account: HashMap<AccountId, (usize, AccountRef)>,
}

impl Names {
    pub fn new(judged: &[JudgedAccount<'_>]) -> Self {
        let name = |(place, judged): (usize, &JudgedAccount<'_>)| {
            let account = judged.account;
            let names = AccountRef {
                id: account.id.clone(),
                name: clean(&account.name, TEXT_CHARS_MAX),
                kind: account.kind,
                unit: account.unit.clone(),
                unit_name: unit_name(judged),
                region: region(judged),
            };
            (account.id.clone(), (place, names))
        };
        Self { by_account: judged.iter().enumerate().map(name).collect() }
    }

    /// An account that has left the registry keeps its id as its name.
    pub fn of(&self, account: &AccountId) -> AccountRef {
        let unknown = || AccountRef {
            id: account.clone(),
            name: account.as_str().to_owned(),
            kind: AccountKind::Other,
            unit: UnitId::new(""),
            unit_name: String::new(),
            region: String::new(),
        };
        self.by_account.get(account).map_or_else(unknown, |(_, names)| names.clone())
    }

    fn place(&self, account: &AccountId) -> usize {
        self.by_account.get(account).map_or(usize::MAX, |(place, _)| *place)
    }
}

pub fn unit_name(judged: &JudgedAccount<'_>) -> String {
    judged.unit.map_or_else(|| judged.account.unit.as_str().to_owned(), |unit| clean(&unit.name, TEXT_CHARS_MAX))
}

pub fn region(judged: &JudgedAccount<'_>) -> String {
    judged.unit.map(|unit| clean(&unit.region, TEXT_CHARS_MAX)).unwrap_or_default()
}

/// The problems of the week and their counts.
#[derive(Debug)]
pub struct Problems {
    pub rows: Vec<Problem>,
    pub wording_tally: WordingTally,
    pub wording_by_account: BTreeMap<AccountId, u32>,
    pub n_registry: u32,
}

/// Frequency problems as judged now, confirmed wording problems in posts of the window, confirmed link problems of the window,
/// and registry problems; sorted by kind, severity, account, publish time, id.
pub fn problems(input: &WeeklyInput<'_>, judged: &[JudgedAccount<'_>], names: &Names, window: Window) -> Problems {
    let stored: HashMap<&str, ViolationState> =
        input.violations.iter().map(|record| (record.violation.id.as_str(), record.violation.state)).collect();
    let mut rows: Vec<Problem> = Vec::new();
    for account in judged {
        for judgement in account.with_verdict(Verdict::Short) {
            let mut violation = frequency_violation(&account.account.id, judgement, input.calendar, window.to);
            violation.state = stored.get(violation.id.as_str()).copied().unwrap_or(ViolationState::Open);
            rows.push(problem(&violation, None, names, input.calendar));
        }
    }
    let mut tally = WordingTally::default();
    for record in input.violations.iter().filter(|record| is_wording_of(record, window)) {
        if is_confirmed(&record.violation) {
            rows.push(problem(&record.violation, record.post.as_ref(), names, input.calendar));
        } else if is_suspect(&record.violation) {
            tally.suspects += 1;
        }
    }
    rows.extend(link_problems(input, names, window));
    let registry = input.registry.iter().filter(|violation| violation.state != ViolationState::Withdrawn);
    rows.extend(registry.map(|violation| problem(violation, None, names, input.calendar)));
    rows.sort_by(|a, b| sort_key(a, names).cmp(&sort_key(b, names)));
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(row.id.clone()));

    let mut wording_by_account: BTreeMap<AccountId, u32> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.kind == ViolationKind::Wording) {
        *wording_by_account.entry(row.account.id.clone()).or_default() += 1;
        tally.total += 1;
        tally.rectified += u32::from(row.state == ViolationState::Rectified);
    }
    tally.accounts = u32::try_from(wording_by_account.len()).unwrap_or(u32::MAX);
    let wording: Vec<&Problem> = rows.iter().filter(|row| row.kind == ViolationKind::Wording).collect();
    tally.by_class = WordingClass::ALL
        .iter()
        .map(|class| ClassCount { class: *class, count: count(&wording, |row| row.class == Some(*class)) })
        .filter(|row| row.count > 0)
        .collect();
    tally.by_severity = Severity::ALL
        .iter()
        .map(|severity| SeverityCount { severity: *severity, count: count(&wording, |row| row.severity == *severity) })
        .filter(|row| row.count > 0)
        .collect();
    let n_registry = rows.iter().filter(|row| row.kind == ViolationKind::Registry).count();
    Problems {
        rows,
        wording_tally: tally,
        wording_by_account,
        n_registry: u32::try_from(n_registry).unwrap_or(u32::MAX),
    }
}

/// Confirmed link problems of the window. A link may stand at the foot of every post: it is told once for each account and
/// state, with the newest post and the number of posts that hold it.
fn link_problems(input: &WeeklyInput<'_>, names: &Names, window: Window) -> impl Iterator<Item = Problem> {
    let mut rows: BTreeMap<(AccountId, String, ViolationState), Problem> = BTreeMap::new();
    let mut seen = HashSet::new();
    let published_at = |row: &Problem| row.post.as_ref().and_then(|post| post.published_at);
    for record in input.violations.iter().filter(|record| is_link_of(record, window) && is_confirmed(&record.violation))
    {
        let violation = &record.violation;
        if !seen.insert(violation.id.as_str()) {
            continue;
        }
        let mut row = problem(violation, record.post.as_ref(), names, input.calendar);
        let key = (violation.account.clone(), violation.found.clone(), violation.state);
        if let Some(known) = rows.get(&key) {
            let n_posts = known.occurrences + row.occurrences;
            if (published_at(known), &row.id) > (published_at(&row), &known.id) {
                row = known.clone();
            }
            row.occurrences = n_posts;
        }
        rows.insert(key, row);
    }
    rows.into_values()
}

/// Confirmed wording problems in posts of a window.
pub fn count_wording(input: &WeeklyInput<'_>, window: Window) -> u32 {
    let ids: HashSet<&str> = input
        .violations
        .iter()
        .filter(|record| is_wording_of(record, window) && is_confirmed(&record.violation))
        .map(|record| record.violation.id.as_str())
        .collect();
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}

/// A wording problem belongs to the week in which its post was published; without a readable publish time, to the week
/// in which it was found.
fn is_wording_of(record: &ViolationRecord, window: Window) -> bool {
    let published_at = record.post.as_ref().and_then(|post| post.published_at);
    record.violation.kind == ViolationKind::Wording
        && window.contains(published_at.unwrap_or(record.violation.first_seen_at))
}

/// A link problem belongs to the week in which it was confirmed: a link dies long after its post was published.
fn is_link_of(record: &ViolationRecord, window: Window) -> bool {
    record.violation.kind == ViolationKind::Link && window.contains(record.violation.first_seen_at)
}

fn is_confirmed(violation: &Violation) -> bool {
    let stands = [ViolationState::Open, ViolationState::Rectified, ViolationState::Removed];
    violation.tier == Tier::A && stands.contains(&violation.state)
}

/// Waits for a person: neither confirmed nor done with.
fn is_suspect(violation: &Violation) -> bool {
    matches!(violation.state, ViolationState::Suspect | ViolationState::Open)
}

fn count(rows: &[&Problem], matches: impl Fn(&Problem) -> bool) -> u32 {
    u32::try_from(rows.iter().filter(|row| matches(row)).count()).unwrap_or(u32::MAX)
}

fn sort_key<'a>(row: &'a Problem, names: &Names) -> impl Ord + use<'a> {
    let kind = ViolationKind::ALL.iter().position(|kind| *kind == row.kind);
    let published_at = row.post.as_ref().and_then(|post| post.published_at);
    (kind, row.severity, names.place(&row.account.id), row.account.id.as_str(), published_at, row.id.as_str())
}

fn problem(violation: &Violation, post: Option<&PostRef>, names: &Names, calendar: Calendar) -> Problem {
    let short = |text: &str| clean(text, TEXT_CHARS_MAX);
    Problem {
        id: violation.id.clone(),
        kind: violation.kind,
        account: names.of(&violation.account),
        subject: violation.subject.clone(),
        severity: violation.severity,
        class: violation.class,
        state: violation.state,
        message: short(&violation.message),
        basis: short(&violation.basis),
        found: short(&violation.found),
        suggestion: violation.suggestion.as_deref().map(short),
        context: violation
            .context
            .as_ref()
            .map(|context| Context { before: short(&context.before), after: short(&context.after) }),
        occurrences: violation.occurrences,
        post: post.map(|post| PostLine {
            title: clean(&post.title, TITLE_CHARS_MAX),
            url: post.url.as_deref().and_then(text::link_of),
            published_at: post.published_at.map(|at| local(calendar, at)),
        }),
        window: violation
            .window
            .map(|window| LocalSpan { from: local(calendar, window.from), to: local(calendar, window.to) }),
    }
}

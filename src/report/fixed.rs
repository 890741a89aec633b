//! What of a weekly report is fixed when its week is closed, how two such states differ, and the report of a correction.
//!
//! Pure. A correction changes verdicts, counts of published shortfalls, and confirmed wording problems. That a problem was
//! put right afterwards is its life, not a correction; problems of the registry belong to no week.

use std::collections::BTreeSet;

use super::text::{self, TEXT_CHARS_MAX, clean};
use super::weekly::{Correction, CorrectionLine, RuleVerdict, WeeklyReport};
use crate::model::close::{CloseChange, FixedAccount, FixedProblem, FixedVerdict, FixedWeek, WeekClose};
use crate::model::verdict::Verdict;
use crate::model::violation::ViolationKind;
use crate::model::week::Calendar;
use crate::model::{AccountId, ViolationId};

/// The part of a report that stands once its week is closed.
pub fn fix(report: &WeeklyReport) -> FixedWeek {
    let rules = report.rules.iter().map(|rule| (rule.id.clone(), format!("{}：{}", rule.level.label(), rule.demand)));
    let judged = report.accounts.iter().filter(|account| !account.verdicts.is_empty());
    let accounts = judged.map(|account| {
        let verdicts = account.verdicts.iter().map(|judged| {
            let RuleVerdict { verdict, counted, required, .. } = *judged;
            (judged.rule.clone(), FixedVerdict { verdict, counted, required })
        });
        (account.id.clone(), FixedAccount { name: account.name.clone(), verdicts: verdicts.collect() })
    });
    let problems = report.problems(ViolationKind::Wording).map(|problem| {
        let fixed = FixedProblem {
            account: problem.account.id.clone(),
            account_name: problem.account.name.clone(),
            found: problem.found.clone(),
        };
        (problem.id.clone(), fixed)
    });
    FixedWeek { rules: rules.collect(), accounts: accounts.collect(), problems: problems.collect() }
}

/// What the later evidence changed, ordered by account and subject; empty where the week stands.
pub fn changes(old: &FixedWeek, new: &FixedWeek) -> Vec<CloseChange> {
    let accounts: BTreeSet<&AccountId> = old.accounts.keys().chain(new.accounts.keys()).collect();
    let mut changes: Vec<CloseChange> = accounts.into_iter().flat_map(|id| verdict_changes(id, old, new)).collect();
    let gone = old.problems.iter().filter(|(id, _)| !new.problems.contains_key(*id));
    changes.extend(gone.map(|(id, problem)| problem_change(id, problem, ("列为问题", "撤销"), "复核后不再判为问题")));
    let found = new.problems.iter().filter(|(id, _)| !old.problems.contains_key(*id));
    let reason = "周报出具后补采、补录、人工确认或词库调整后列入";
    changes.extend(found.map(|(id, problem)| problem_change(id, problem, ("未列", "列为问题"), reason)));
    changes.sort_by(|a, b| (&a.account, &a.subject).cmp(&(&b.account, &b.subject)));
    changes
}

fn verdict_changes(id: &AccountId, old: &FixedWeek, new: &FixedWeek) -> Vec<CloseChange> {
    let (before, after) = (old.accounts.get(id), new.accounts.get(id));
    let name = after.or(before).map_or("", |account| account.name.as_str());
    let rules = [before, after].into_iter().flatten().flat_map(|account| account.verdicts.keys());
    let mut changes = Vec::new();
    for rule in rules.collect::<BTreeSet<_>>() {
        let of = |account: Option<&FixedAccount>| account.and_then(|account| account.verdicts.get(rule)).copied();
        let (was, is) = (of(before), of(after));
        if differs(was, is) {
            changes.push(CloseChange {
                account: id.clone(),
                account_name: name.to_owned(),
                subject: rule.as_str().to_owned(),
                what: new.rules.get(rule).or(old.rules.get(rule)).cloned().unwrap_or_default(),
                old: words(was),
                new: words(is),
                reason: reason(was, is),
            });
        }
    }
    changes
}

/// A count is published with a shortfall, so a shortfall with another count is another statement.
fn differs(was: Option<FixedVerdict>, is: Option<FixedVerdict>) -> bool {
    match (was, is) {
        (Some(was), Some(is)) if was.verdict == is.verdict => is.verdict == Verdict::Short && was != is,
        _ => was != is,
    }
}

fn words(verdict: Option<FixedVerdict>) -> String {
    match verdict {
        None => "未列入考核".to_owned(),
        Some(v) if v.verdict == Verdict::Exempt => v.verdict.label().to_owned(),
        Some(v) => format!("{}（{}/{}）", v.verdict.label(), v.counted, v.required),
    }
}

fn reason(was: Option<FixedVerdict>, is: Option<FixedVerdict>) -> String {
    let (Some(was), Some(is)) = (was, is) else {
        return "账号登记或监管规则变更".to_owned();
    };
    match (was.verdict, is.verdict) {
        (_, Verdict::Exempt) => "周报出具后补报备案".to_owned(),
        (Verdict::Exempt, _) => "报备已撤销或变更".to_owned(),
        _ if was.required != is.required => "监管规则变更".to_owned(),
        _ if is.counted > was.counted => "补采、补录后更新次数增加".to_owned(),
        _ if is.counted < was.counted => "采集证据更正后更新次数减少".to_owned(),
        (Verdict::Unverified, Verdict::Short) => "补采后统计期已全部核查".to_owned(),
        _ => "采集证据变更".to_owned(),
    }
}

fn problem_change(id: &ViolationId, problem: &FixedProblem, (old, new): (&str, &str), reason: &str) -> CloseChange {
    CloseChange {
        account: problem.account.clone(),
        account_name: problem.account_name.clone(),
        subject: id.as_str().to_owned(),
        what: format!("内容表述：“{}”", problem.found),
        old: old.to_owned(),
        new: new.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The report as the last of these closes: unchanged while there is no correction, else with its number, its day, and the
/// list of all that was corrected.
pub fn corrected(mut report: WeeklyReport, closes: &[WeekClose], calendar: Calendar) -> WeeklyReport {
    let Some(last) = closes.last().filter(|last| last.number > 0) else { return report };
    let corrected_on = calendar.day_of(last.closed_at);
    report.title = format!("{}（更正{}）", report.title, last.number);
    report.correction = Some(Correction {
        number: last.number,
        first_issued_on: report.issued_on,
        corrected_on,
        changes: closes
            .iter()
            .flat_map(|close| close.changes.iter().map(|change| line(close.number, change)))
            .collect(),
    });
    report.issued_on = corrected_on;
    report
}

fn line(number: u32, change: &CloseChange) -> CorrectionLine {
    let short = |text: &str| clean(text, TEXT_CHARS_MAX);
    CorrectionLine {
        number,
        account: change.account.clone(),
        account_name: short(&change.account_name),
        subject: short(&change.subject),
        what: short(&change.what),
        old: short(&change.old),
        new: short(&change.new),
        reason: short(&change.reason),
    }
}

/// The note that a corrected report carries on its first page.
pub fn note(report: &WeeklyReport) -> Option<String> {
    let correction = report.correction.as_ref()?;
    let n_changes = correction.changes.iter().filter(|line| line.number == correction.number).count();
    Some(format!(
        "本件为{}所出通报的第{}次更正，更正于{}，本次更正{n_changes}项，见“更正情况”表。此前所出通报与本件不一致的，以本件为准。",
        text::day(correction.first_issued_on),
        correction.number,
        text::day(correction.corrected_on),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RuleId;

    fn verdict(verdict: Verdict, counted: u32) -> FixedVerdict {
        FixedVerdict { verdict, counted, required: 3 }
    }

    fn check(old: Option<FixedVerdict>, new: Option<FixedVerdict>, expected: &[(&str, &str, &str)]) {
        let week = |verdict: Option<FixedVerdict>| {
            let verdicts = verdict.into_iter().map(|verdict| (RuleId::new("weekly"), verdict)).collect();
            let account = FixedAccount { name: "甲发布".to_owned(), verdicts };
            FixedWeek { accounts: [(AccountId::new("a"), account)].into(), ..FixedWeek::default() }
        };
        let changes = changes(&week(old), &week(new));
        let found: Vec<(&str, &str, &str)> =
            changes.iter().map(|change| (change.old.as_str(), change.new.as_str(), change.reason.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_changed_is_said_with_its_reason() {
        let a = |word, counted| Some(verdict(word, counted));
        check(a(Verdict::Met, 3), a(Verdict::Met, 3), &[]);
        check(a(Verdict::Met, 3), a(Verdict::Met, 5), &[]);
        check(a(Verdict::Unverified, 0), a(Verdict::Unverified, 1), &[]);
        check(
            a(Verdict::Short, 1),
            a(Verdict::Short, 2),
            &[("未达标（1/3）", "未达标（2/3）", "补采、补录后更新次数增加")],
        );
        check(
            a(Verdict::Unverified, 1),
            a(Verdict::Met, 4),
            &[("未核实（1/3）", "达标（4/3）", "补采、补录后更新次数增加")],
        );
        check(
            a(Verdict::Unverified, 1),
            a(Verdict::Short, 1),
            &[("未核实（1/3）", "未达标（1/3）", "补采后统计期已全部核查")],
        );
        check(a(Verdict::Short, 1), a(Verdict::Exempt, 1), &[("未达标（1/3）", "已报备", "周报出具后补报备案")]);
        check(a(Verdict::Short, 1), None, &[("未达标（1/3）", "未列入考核", "账号登记或监管规则变更")]);
        check(None, a(Verdict::Met, 3), &[("未列入考核", "达标（3/3）", "账号登记或监管规则变更")]);
    }

    #[test]
    fn problems_come_and_go_by_their_id() {
        let problem = |id: &str| {
            let (account, account_name) = (AccountId::new("a"), "甲".to_owned());
            (ViolationId::new(id), FixedProblem { account, account_name, found: "布署".to_owned() })
        };
        let week =
            |ids: &[&str]| FixedWeek { problems: ids.iter().map(|id| problem(id)).collect(), ..FixedWeek::default() };
        let changes = changes(&week(&["W-1", "W-2"]), &week(&["W-2", "W-3"]));
        let found: Vec<(&str, &str)> =
            changes.iter().map(|change| (change.subject.as_str(), change.new.as_str())).collect();
        assert_eq!(found, [("W-1", "撤销"), ("W-3", "列为问题")]);
    }
}

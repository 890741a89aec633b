//! From evidence to the report as data: judge every account, gather what falls short, what could not be seen, and what
//! was wrong in the texts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, Utc};

use super::gather::{self, Names};
use super::input::{SourceState, WeeklyInput};
use super::judged::{JudgedAccount, judge_accounts, judged_at, tally, week_before};
use super::reasons::{diagnose, source_trouble};
use super::text::{TEXT_CHARS_MAX, URL_CHARS_MAX, clean};
use super::violations::demand;
use super::weekly::{
    AccountCoverage, AccountRow, CoverageTally, KindTally, LastWeek, LevelTally, LocalSpan, LocalTime, Overview,
    ReportWindow, RuleInfo, RuleVerdict, Shortfall, SourceAlarm, UnverifiedAccount, WeeklyReport,
};
use crate::model::AccountId;
use crate::model::account::{AccountKind, AccountStatus};
use crate::model::coverage::Coverage;
use crate::model::rule::RuleLevel;
use crate::model::verdict::Verdict;
use crate::model::week::{Calendar, Window};
use crate::report::violations::frequency_id;

/// Name and version of the JSON contract.
pub const SCHEMA: &str = "duwang.weekly/1";

/// Makes the report of one week. Pure: the same data give the same report, in whatever order they come.
pub fn roll_up(input: &WeeklyInput<'_>) -> WeeklyReport {
    let calendar = input.calendar;
    let window = calendar.week_window(input.week);
    let as_of = judged_at(calendar, input.week, input.as_of);
    let elapsed = Window { from: window.from, to: as_of.max(window.from) };
    let judged = judge_accounts(input, input.week);
    let names = Names::new(&judged);
    let states = states_by_account(input);
    let rules = rules_in_force(input);
    let problems = gather::problems(input, &judged, &names, window);
    let accounts: Vec<AccountRow> =
        judged.iter().map(|account| account_row(input, account, elapsed, &problems.wording_by_account)).collect();

    WeeklyReport {
        schema: SCHEMA,
        title: format!("关于{}政务新媒体监测情况的通报", clean(input.area, TEXT_CHARS_MAX)),
        office: clean(input.office, TEXT_CHARS_MAX),
        area: clean(input.area, TEXT_CHARS_MAX),
        window: ReportWindow {
            from: local(calendar, window.from),
            to: local(calendar, window.to),
            first_day: input.week.first_day,
            last_day: input.week.last_day,
        },
        judged_at: local(calendar, as_of),
        complete: window.to <= as_of,
        issued_on: input.week.last_day + Days::new(1),
        correction: None,
        lists_version: input.lists_version.map(|version| clean(version, TEXT_CHARS_MAX)),
        overview: Overview {
            total: tally(judged.iter()),
            by_kind: by_kind(&judged),
            by_level: by_level(&judged, &rules),
            wording: problems.wording_tally,
            registry: problems.n_registry,
            coverage: coverage_tally(&accounts),
            posts_to_fill: input.posts_to_fill,
            last_week: last_week(input),
        },
        shortfalls: shortfalls(input, &judged, &names, &rules),
        unverified: unverified(input, &judged, &names, &states, elapsed),
        source_alarms: source_alarms(input, &judged, &names, &states, elapsed),
        rules,
        accounts,
        violations: problems.rows,
    }
}

/// An instant as the zone writes it.
pub fn local(calendar: Calendar, instant: DateTime<Utc>) -> LocalTime {
    instant.with_timezone(&calendar.zone).fixed_offset()
}

type States<'a> = HashMap<&'a AccountId, Vec<&'a SourceState>>;

/// Source states of each account, in its order of preference; states of sources no longer configured come last.
fn states_by_account<'a>(input: &WeeklyInput<'a>) -> States<'a> {
    let mut states: States<'a> = HashMap::new();
    for state in input.sources {
        states.entry(&state.account).or_default().push(state);
    }
    let mut preference: HashMap<(&AccountId, &str), usize> = HashMap::new();
    for account in input.accounts {
        for (rank, source) in account.sources.iter().enumerate() {
            preference.entry((&account.id, source.id.as_str())).or_insert(rank);
        }
    }
    for (account, list) in &mut states {
        list.sort_by_key(|state| {
            let rank = preference.get(&(*account, state.source.as_str())).copied();
            (rank.unwrap_or(usize::MAX), &state.source)
        });
    }
    states
}

fn rules_in_force(input: &WeeklyInput<'_>) -> Vec<RuleInfo> {
    let mut rules: Vec<RuleInfo> = input
        .rules
        .iter()
        .filter(|rule| {
            let window = crate::rules::frequency::rule_window(rule.window, input.calendar, input.week);
            let last_day = input.calendar.day_of(window.to - chrono::TimeDelta::milliseconds(1));
            rule.effective.covers(input.calendar.day_of(window.from), last_day)
        })
        .map(|rule| RuleInfo {
            id: rule.id.clone(),
            level: rule.level,
            min: rule.min,
            count: rule.count,
            window: rule.window,
            demand: demand(rule),
            basis: clean(&rule.basis, TEXT_CHARS_MAX),
        })
        .collect();
    rules.sort_by(|a, b| (a.level, &a.id).cmp(&(b.level, &b.id)));
    rules
}

fn by_kind(judged: &[JudgedAccount<'_>]) -> Vec<KindTally> {
    let of_kind = |kind| judged.iter().filter(move |judged| judged.account.kind == kind);
    AccountKind::ALL
        .iter()
        .map(|kind| KindTally { kind: *kind, tally: tally(of_kind(*kind)) })
        .filter(|row| row.tally.accounts > 0)
        .collect()
}

fn by_level(judged: &[JudgedAccount<'_>], rules: &[RuleInfo]) -> Vec<LevelTally> {
    let in_force = RuleLevel::ALL.iter().filter(|level| rules.iter().any(|rule| rule.level == **level));
    in_force
        .map(|level| {
            let mut row =
                LevelTally { level: *level, accounts: 0, met: 0, short: 0, unverified: 0, pending: 0, exempt: 0 };
            for verdict in judged.iter().filter_map(|judged| judged.verdict(Some(*level))) {
                row.accounts += 1;
                *match verdict {
                    Verdict::Met => &mut row.met,
                    Verdict::Short => &mut row.short,
                    Verdict::Pending => &mut row.pending,
                    Verdict::Unverified => &mut row.unverified,
                    Verdict::Exempt => &mut row.exempt,
                } += 1;
            }
            row
        })
        .collect()
}

fn last_week(input: &WeeklyInput<'_>) -> LastWeek {
    let week = week_before(input.calendar, input.week);
    let window = input.calendar.week_window(week);
    LastWeek {
        first_day: week.first_day,
        last_day: week.last_day,
        tally: tally(judge_accounts(input, week).iter()),
        wording: gather::count_wording(input, window),
    }
}

fn coverage_tally(accounts: &[AccountRow]) -> CoverageTally {
    let ratios: Vec<f64> = accounts
        .iter()
        .filter(|account| account.status == AccountStatus::Active)
        .map(|account| account.coverage.ratio)
        .collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let n_active = count(ratios.len());
    CoverageTally {
        ratio: if n_active == 0 { 0.0 } else { ratios.iter().sum::<f64>() / f64::from(n_active) },
        accounts: n_active,
        full: count(ratios.iter().filter(|ratio| **ratio >= 1.0).count()),
    }
}

fn account_row(
    input: &WeeklyInput<'_>,
    judged: &JudgedAccount<'_>,
    elapsed: Window,
    wording: &BTreeMap<AccountId, u32>,
) -> AccountRow {
    let account = judged.account;
    let unseen = Coverage::default();
    let coverage = input.coverage.get(&account.id).unwrap_or(&unseen);
    let spans = coverage.within(elapsed);
    AccountRow {
        id: account.id.clone(),
        name: clean(&account.name, TEXT_CHARS_MAX),
        kind: account.kind,
        unit: account.unit.clone(),
        unit_name: gather::unit_name(judged),
        unit_level: judged.unit.map(|unit| unit.level),
        region: gather::region(judged),
        status: account.status,
        posts: judged.posts,
        pushes: judged.pushes,
        last_post_at: input.last_post_at.get(&account.id).map(|at| local(input.calendar, *at)),
        coverage: AccountCoverage {
            ratio: coverage.ratio(elapsed),
            spans: spans
                .iter()
                .map(|part| LocalSpan { from: local(input.calendar, part.from), to: local(input.calendar, part.to) })
                .collect(),
        },
        verdict: judged.verdict(None),
        verdicts: judged
            .judgements
            .iter()
            .map(|judgement| RuleVerdict {
                rule: judgement.rule.clone(),
                level: judgement.level,
                verdict: judgement.verdict,
                counted: judgement.counted,
                required: judgement.required,
                excuse: judgement.excuse.clone(),
            })
            .collect(),
        wording: wording.get(&account.id).copied().unwrap_or(0),
    }
}

/// By level, and within a level in the order of accounts.
fn shortfalls(
    input: &WeeklyInput<'_>,
    judged: &[JudgedAccount<'_>],
    names: &Names,
    rules: &[RuleInfo],
) -> Vec<Shortfall> {
    let demands: HashMap<&str, &str> = rules.iter().map(|rule| (rule.id.as_str(), rule.demand.as_str())).collect();
    let mut rows: Vec<Shortfall> = Vec::new();
    for account in judged {
        let mut levels: Vec<RuleLevel> =
            account.with_verdict(Verdict::Short).map(|judgement| judgement.level).collect();
        levels.dedup();
        rows.extend(account.with_verdict(Verdict::Short).map(|judgement| Shortfall {
            violation: frequency_id(&account.account.id, judgement),
            account: names.of(&account.account.id),
            rule: judgement.rule.clone(),
            level: judgement.level,
            demand: demands.get(judgement.rule.as_str()).copied().unwrap_or_default().to_owned(),
            counted: judgement.counted,
            required: judgement.required,
            count: judgement.unit,
            last_post_at: input.last_post_at.get(&account.account.id).map(|at| local(input.calendar, *at)),
            basis: clean(&judgement.basis, TEXT_CHARS_MAX),
            also_short_of: levels.iter().copied().filter(|level| *level != judgement.level).collect(),
        }));
    }
    rows.sort_by_key(|row| row.level);
    rows
}

fn unverified(
    input: &WeeklyInput<'_>,
    judged: &[JudgedAccount<'_>],
    names: &Names,
    states: &States<'_>,
    elapsed: Window,
) -> Vec<UnverifiedAccount> {
    let unseen = Coverage::default();
    judged
        .iter()
        .filter_map(|judged| {
            // The longest open window says most about what was not seen.
            let window = judged.with_verdict(Verdict::Unverified).map(|judgement| judgement.window).min()?;
            let account = judged.account;
            let coverage = input.coverage.get(&account.id).unwrap_or(&unseen);
            let states = states.get(&account.id).map_or(&[][..], Vec::as_slice);
            let diagnosis = diagnose(account, states, coverage, window, input.calendar);
            Some(UnverifiedAccount {
                account: names.of(&account.id),
                rules: judged.with_verdict(Verdict::Unverified).map(|judgement| judgement.rule.clone()).collect(),
                posts: judged.posts,
                last_post_at: input.last_post_at.get(&account.id).map(|at| local(input.calendar, *at)),
                coverage_ratio: coverage.ratio(elapsed),
                reason: diagnosis.reason,
                advice: diagnosis.advice(),
                reason_text: diagnosis.text,
            })
        })
        .collect()
}

/// Sources in trouble of active accounts whose week was not seen whole. A source that failed while another one saw
/// everything has harmed no report.
fn source_alarms(
    input: &WeeklyInput<'_>,
    judged: &[JudgedAccount<'_>],
    names: &Names,
    states: &States<'_>,
    elapsed: Window,
) -> Vec<SourceAlarm> {
    let mut alarms = Vec::new();
    for judged in judged.iter().filter(|judged| judged.account.status == AccountStatus::Active) {
        let id = &judged.account.id;
        if input.coverage.get(id).is_some_and(|coverage| coverage.covers(elapsed)) {
            continue;
        }
        for state in states.get(id).map_or(&[][..], Vec::as_slice) {
            let Some(trouble) = source_trouble(state, elapsed, input.calendar) else { continue };
            alarms.push(SourceAlarm {
                account: names.of(id),
                source: state.source.clone(),
                url: clean(&state.url, URL_CHARS_MAX),
                reason: trouble.reason,
                reason_text: trouble.text,
                last_success_at: state.last_success_at.map(|at| local(input.calendar, at)),
                detail: clean(&state.detail, TEXT_CHARS_MAX),
            });
        }
    }
    alarms
}

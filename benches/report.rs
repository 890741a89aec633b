//! What a weekly report costs: the roll-up and each format, at three sizes (the cost must grow linearly).
//!
//! Target: 5,000 accounts with 15 posts each in less than 5 s, all formats together.

#![expect(clippy::unwrap_used, reason = "a bench that cannot set up its data must stop")]

use std::collections::HashMap;
use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use duwang::model::account::{Account, AccountKind, AccountStatus, Unit, UnitLevel};
use duwang::model::coverage::{Coverage, Span};
use duwang::model::post::CountedPost;
use duwang::model::rule::{AppliesTo, CountUnit, DateRange, FrequencyRule, RuleLevel, RuleWindow};
use duwang::model::violation::{Context, Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use duwang::model::violation::{PostRef, ViolationRecord};
use duwang::model::week::{Calendar, Week, Window};
use duwang::model::{AccountId, RuleId, UnitId, ViolationId};
use duwang::report::input::WeeklyInput;
use duwang::report::{Format, render, roll_up};

const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };
const POSTS_PER_ACCOUNT: usize = 15;
const ACCOUNTS_PER_UNIT: usize = 5;
/// One account in so many has a wording problem.
const PROBLEM_EVERY: usize = 10;

/// Owns what a [`WeeklyInput`] borrows.
struct Registry {
    week: Week,
    units: Vec<Unit>,
    accounts: Vec<Account>,
    rules: Vec<FrequencyRule>,
    posts: HashMap<AccountId, Vec<CountedPost>>,
    last_post_at: HashMap<AccountId, DateTime<Utc>>,
    coverage: HashMap<AccountId, Coverage>,
    inactive: HashMap<AccountId, Vec<Window>>,
    violations: Vec<ViolationRecord>,
}

impl Registry {
    fn new(n_accounts: usize) -> Self {
        let week = CALENDAR.week_of("2024-05-16".parse().unwrap());
        let window = CALENDAR.week_window(week);
        let mut random = fastrand::Rng::with_seed(1);
        let mut registry = Self {
            week,
            units: (0..=n_accounts / ACCOUNTS_PER_UNIT).map(unit).collect(),
            accounts: (0..n_accounts).map(account).collect(),
            rules: rules(),
            posts: HashMap::new(),
            last_post_at: HashMap::new(),
            coverage: HashMap::new(),
            inactive: HashMap::new(),
            violations: Vec::new(),
        };
        for (number, account) in registry.accounts.iter().enumerate() {
            // One in five falls short of the weekly rules, one in ten was not seen whole.
            let days_back = if number % 5 == 0 { 7..28 } else { 0..14 };
            let posts: Vec<CountedPost> = (0..POSTS_PER_ACCOUNT)
                .map(|_| {
                    let minutes = random.i64(days_back.start * 1_440 + 1..days_back.end * 1_440);
                    let published_at = window.to - TimeDelta::minutes(minutes);
                    CountedPost { published_at, push_key: None, original: true }
                })
                .collect();
            let last_post_at = posts.iter().map(|post| post.published_at).max().unwrap();
            registry.last_post_at.insert(account.id.clone(), last_post_at);
            registry.posts.insert(account.id.clone(), posts);
            let seen_to = if number % 10 == 5 { window.to - TimeDelta::days(2) } else { window.to };
            let span = Span::new(Some(window.from - TimeDelta::days(30)), seen_to);
            registry.coverage.insert(account.id.clone(), span.into_iter().collect());
            if number % PROBLEM_EVERY == 1 {
                registry.violations.push(problem(&account.id, window.from + TimeDelta::days(1)));
            }
        }
        registry
    }

    fn input(&self) -> WeeklyInput<'_> {
        WeeklyInput {
            calendar: CALENDAR,
            week: self.week,
            as_of: CALENDAR.week_window(self.week).to,
            office: "政务公开办公室",
            area: "青原州",
            units: &self.units,
            accounts: &self.accounts,
            rules: &self.rules,
            exemptions: &[],
            posts: &self.posts,
            last_post_at: &self.last_post_at,
            coverage: &self.coverage,
            inactive: &self.inactive,
            violations: &self.violations,
            sources: &[],
            registry: &[],
            posts_to_fill: 0,
            lists_version: None,
        }
    }
}

fn unit(number: usize) -> Unit {
    Unit {
        id: UnitId::new(format!("u{number:05}")),
        name: format!("第{number}单位"),
        level: UnitLevel::ALL[number % UnitLevel::ALL.len()],
        region: format!("{}县", number % 20),
        supervisor: None,
    }
}

fn account(number: usize) -> Account {
    Account {
        id: AccountId::new(format!("a{number:05}")),
        name: format!("第{number}号发布"),
        unit: UnitId::new(format!("u{:05}", number / ACCOUNTS_PER_UNIT)),
        kind: AccountKind::ALL[number % AccountKind::ALL.len()],
        platform_id: None,
        status: AccountStatus::Active,
        filed_on: None,
        sources: Vec::new(),
    }
}

fn rules() -> Vec<FrequencyRule> {
    let rule = |id: &str, level, min, window| FrequencyRule {
        id: RuleId::new(id),
        applies_to: AppliesTo::default(),
        min,
        count: CountUnit::Push,
        window,
        originals_only: false,
        level,
        effective: DateRange::default(),
        warn_before: None,
        basis: "监管工作通知第二条".to_owned(),
    };
    vec![
        rule("state", RuleLevel::Veto, 1, RuleWindow::RollingDays(14)),
        rule("province", RuleLevel::Provincial, 1, RuleWindow::Week),
        rule("local", RuleLevel::Local, 3, RuleWindow::Week),
    ]
}

fn problem(account: &AccountId, published_at: DateTime<Utc>) -> ViolationRecord {
    ViolationRecord {
        violation: Violation {
            id: ViolationId::derive(ViolationKind::Wording, [account.as_str()]),
            kind: ViolationKind::Wording,
            account: account.clone(),
            post: None,
            subject: "entry".to_owned(),
            severity: Severity::Minor,
            tier: Tier::A,
            class: Some(WordingClass::Typo),
            state: ViolationState::Open,
            message: "错别字".to_owned(),
            basis: "现代汉语词典".to_owned(),
            found: "布署".to_owned(),
            suggestion: Some("部署".to_owned()),
            context: Some(Context { before: "会议要求认真".to_owned(), after: "各项工作".to_owned() }),
            span: None,
            occurrences: 1,
            post_version: None,
            lists_version: None,
            window: None,
            first_seen_at: published_at,
        },
        post: Some(PostRef {
            title: "关于召开年度工作会议的通知".to_owned(),
            url: Some(format!("https://example.com/{account}")),
            published_at: Some(published_at),
        }),
    }
}

fn report(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("weekly_report");
    group.sample_size(10);
    for n_accounts in [1_250, 2_500, 5_000] {
        let registry = Registry::new(n_accounts);
        group.bench_with_input(BenchmarkId::new("roll_up", n_accounts), &registry, |bencher, registry| {
            bencher.iter(|| roll_up(black_box(&registry.input())));
        });
        let report = roll_up(&registry.input());
        for format in Format::ALL {
            group.bench_with_input(BenchmarkId::new(format.as_str(), n_accounts), &report, |bencher, report| {
                bencher.iter(|| render(black_box(report), format).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);

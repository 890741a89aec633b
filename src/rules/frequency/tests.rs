use chrono::{NaiveDate, Weekday};
use proptest::prelude::*;

use super::*;
use crate::model::account::{AccountKind, UnitLevel};
use crate::model::coverage::Span;
use crate::model::rule::{AppliesTo, DateRange, RuleLevel};
use crate::model::{AccountId, ExemptionId, RuleId, UnitId};

const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn week() -> Week {
    CALENDAR.week_of(day("2021-06-17"))
}

/// Minutes after the start of the week.
fn minute(minute: i64) -> DateTime<Utc> {
    CALENDAR.start_of(week().first_day) + TimeDelta::minutes(minute)
}

const WEEK_MINUTES: i64 = 7 * 24 * 60;

fn rule(min: u32, count: CountUnit, window: RuleWindow) -> FrequencyRule {
    FrequencyRule {
        id: RuleId::new("rule"),
        applies_to: AppliesTo::default(),
        min,
        count,
        window,
        originals_only: false,
        level: RuleLevel::Local,
        effective: DateRange::default(),
        warn_before: None,
        basis: String::new(),
    }
}

fn account() -> Account {
    Account {
        id: AccountId::new("a"),
        name: "青原教育".to_owned(),
        unit: UnitId::new("u"),
        kind: AccountKind::WechatSubscription,
        platform_id: None,
        status: AccountStatus::Active,
        filed_on: None,
        sources: Vec::new(),
    }
}

fn unit() -> Unit {
    Unit {
        id: UnitId::new("u"),
        name: "州教育局".to_owned(),
        level: UnitLevel::Prefecture,
        region: "青原州".to_owned(),
        supervisor: None,
    }
}

fn posts(minutes: &[i64]) -> Vec<CountedPost> {
    let post = |at: &i64| CountedPost { published_at: minute(*at), push_key: None, original: true };
    minutes.iter().map(post).collect()
}

fn coverage(spans: &[(i64, i64)]) -> Coverage {
    spans.iter().filter_map(|(from, length)| Span::new(Some(minute(*from)), minute(from + length))).collect()
}

fn verdict_at(rule: &FrequencyRule, as_of: i64, posts: &[CountedPost], coverage: &Coverage) -> Option<Judgement> {
    let period = Period { calendar: CALENDAR, week: week(), as_of: minute(as_of) };
    judge(rule, &account(), &unit(), &[], period, Evidence { posts, coverage, inactive: &[] })
}

fn verdict(rule: &FrequencyRule, posts: &[CountedPost], coverage: &Coverage) -> Verdict {
    verdict_at(rule, WEEK_MINUTES, posts, coverage).unwrap().verdict
}

fn exemption(from: &str, to: &str, rules: &[&str]) -> Exemption {
    Exemption {
        id: ExemptionId::new("x"),
        account: AccountId::new("a"),
        rules: rules.iter().map(|id| RuleId::new(*id)).collect(),
        from: day(from),
        to: day(to),
        reason: String::new(),
        reported_by: String::new(),
    }
}

#[test]
fn a_push_is_a_push_key_or_a_minute() {
    let mut three = posts(&[10, 10, 11]);
    assert_eq!(count_updates(three.iter(), CountUnit::Push, CALENDAR), 2);
    three[0].push_key = Some("p".to_owned());
    three[1].push_key = Some("p".to_owned());
    assert_eq!(count_updates(three.iter(), CountUnit::Push, CALENDAR), 2);
    three[2].push_key = Some("p".to_owned());
    assert_eq!(count_updates(three.iter(), CountUnit::Push, CALENDAR), 1);
    assert_eq!(count_updates(three.iter(), CountUnit::Post, CALENDAR), 3);
    assert_eq!(count_updates(three.iter(), CountUnit::Day, CALENDAR), 1);
}

#[test]
fn days_are_counted_in_the_zone() {
    // 23:59 and 00:00 in Shanghai lie on one day in UTC.
    let two = posts(&[24 * 60 - 1, 24 * 60]);
    assert_eq!(count_updates(two.iter(), CountUnit::Day, CALENDAR), 2);
}

#[test]
fn a_repost_counts_unless_the_rule_wants_originals() {
    let mut one = posts(&[10]);
    one[0].original = false;
    let mut weekly = rule(1, CountUnit::Post, RuleWindow::Week);
    let whole = coverage(&[(0, WEEK_MINUTES)]);
    assert_eq!(verdict(&weekly, &one, &whole), Verdict::Met);
    weekly.originals_only = true;
    assert_eq!(verdict(&weekly, &one, &whole), Verdict::Short);
}

#[test]
fn an_account_is_exempt_only_for_the_whole_window_and_the_named_rule() {
    let weekly = rule(1, CountUnit::Post, RuleWindow::Week);
    let check = |exemption: Exemption, expected: Verdict| {
        let period = Period { calendar: CALENDAR, week: week(), as_of: minute(WEEK_MINUTES) };
        let whole = coverage(&[(0, WEEK_MINUTES)]);
        let evidence = Evidence { posts: &[], coverage: &whole, inactive: &[] };
        let judgement = judge(&weekly, &account(), &unit(), &[exemption], period, evidence).unwrap();
        assert_eq!(judgement.verdict, expected);
    };
    check(exemption("2021-06-11", "2021-06-17", &[]), Verdict::Exempt);
    check(exemption("2021-06-11", "2021-06-17", &["rule"]), Verdict::Exempt);
    check(exemption("2021-06-11", "2021-06-17", &["other"]), Verdict::Short);
    check(exemption("2021-06-12", "2021-06-17", &[]), Verdict::Short);
    check(exemption("2021-06-11", "2021-06-16", &[]), Verdict::Short);
    check(Exemption { account: AccountId::new("b"), ..exemption("2021-06-01", "2021-06-30", &[]) }, Verdict::Short);
}

/// Suspended for the second of three weeks: the other two are judged, before and after, and whatever it is now.
#[test]
fn a_window_is_judged_by_the_status_of_its_own_time() {
    let weekly = rule(1, CountUnit::Post, RuleWindow::Week);
    let whole = coverage(&[(-WEEK_MINUTES * 3, WEEK_MINUTES * 9)]);
    let week_from = |n: i64| minute(n * WEEK_MINUTES);
    let history = [
        (week_from(-3), AccountStatus::Active),
        (week_from(0), AccountStatus::Suspended),
        (week_from(1), AccountStatus::Active),
        (week_from(2), AccountStatus::Deregistered),
    ];
    let verdict = |changes: &[(DateTime<Utc>, AccountStatus)], status: AccountStatus, n: u64| {
        let inactive = inactive_spans(changes);
        let first = week().first_day + Days::new(7 * n);
        let period = Period { calendar: CALENDAR, week: CALENDAR.week_of(first), as_of: week_from(5) };
        let account = Account { status, ..account() };
        let evidence = Evidence { posts: &[], coverage: &whole, inactive: &inactive };
        judge(&weekly, &account, &unit(), &[], period, evidence).map(|judgement| judgement.verdict)
    };
    assert_eq!(verdict(&history[..3], AccountStatus::Active, 0), None);
    assert_eq!(verdict(&history[..3], AccountStatus::Active, 1), Some(Verdict::Short));
    assert_eq!(verdict(&history, AccountStatus::Deregistered, 1), Some(Verdict::Short));
    assert_eq!(verdict(&history, AccountStatus::Deregistered, 2), None);
    // What it was when it was first entered, it was before.
    assert_eq!(verdict(&[(week_from(3), AccountStatus::Pending)], AccountStatus::Pending, 1), None);
    assert_eq!(verdict(&[(week_from(3), AccountStatus::Active)], AccountStatus::Active, 1), Some(Verdict::Short));
    assert_eq!(verdict(&[], AccountStatus::Suspended, 1), None);
}

#[test]
fn an_account_filed_within_the_window_is_exempt() {
    let weekly = rule(1, CountUnit::Post, RuleWindow::Week);
    let check = |filed_on: &str, expected: Verdict| {
        let filed = Account { filed_on: Some(day(filed_on)), ..account() };
        let period = Period { calendar: CALENDAR, week: week(), as_of: minute(WEEK_MINUTES) };
        let whole = coverage(&[(0, WEEK_MINUTES)]);
        let evidence = Evidence { posts: &[], coverage: &whole, inactive: &[] };
        assert_eq!(judge(&weekly, &filed, &unit(), &[], period, evidence).unwrap().verdict, expected);
    };
    check("2021-06-11", Verdict::Short);
    check("2021-06-12", Verdict::Exempt);
}

#[test]
fn a_rule_speaks_only_of_windows_in_which_it_was_in_force_every_day() {
    let check = |from: Option<&str>, to: Option<&str>, speaks: bool| {
        let mut weekly = rule(1, CountUnit::Post, RuleWindow::Week);
        weekly.effective = DateRange { from: from.map(day), to: to.map(day) };
        assert_eq!(verdict_at(&weekly, WEEK_MINUTES, &[], &Coverage::default()).is_some(), speaks);
    };
    check(Some("2021-06-11"), None, true);
    check(Some("2021-06-12"), None, false);
    check(None, Some("2021-06-17"), true);
    check(None, Some("2021-06-16"), false);
}

#[test]
fn windows_are_whole_days_up_to_the_end_of_the_week() {
    let days_of = |window: RuleWindow, last_day: &str| {
        let window = rule_window(window, CALENDAR, CALENDAR.week_of(day(last_day)));
        (CALENDAR.day_of(window.from), CALENDAR.day_of(window.to - TimeDelta::milliseconds(1)))
    };
    let check = |window: RuleWindow, last_day: &str, first: &str, last: &str| {
        assert_eq!(days_of(window, last_day), (day(first), day(last)));
    };
    check(RuleWindow::Week, "2021-06-17", "2021-06-11", "2021-06-17");
    check(RuleWindow::RollingDays(14), "2021-06-17", "2021-06-04", "2021-06-17");
    check(RuleWindow::RollingDays(1), "2021-06-17", "2021-06-17", "2021-06-17");
    check(RuleWindow::Month, "2021-06-17", "2021-06-01", "2021-06-30");
    check(RuleWindow::Month, "2021-07-01", "2021-06-01", "2021-06-30");
    check(RuleWindow::Month, "2021-07-08", "2021-07-01", "2021-07-31");
    check(RuleWindow::Month, "2024-02-29", "2024-02-01", "2024-02-29");
}

#[test]
fn articles_whose_push_is_not_known_yet_belong_to_the_known_push_of_their_minute() {
    let post = |at: i64, push: Option<&str>| CountedPost {
        published_at: minute(at),
        push_key: push.map(str::to_owned),
        original: true,
    };
    let check = |posts: &[CountedPost], expected: u32| {
        assert_eq!(count_updates(posts.iter(), CountUnit::Push, CALENDAR), expected, "{posts:?}");
    };
    check(&[post(5, None), post(5, None), post(6, None)], 2);
    check(&[post(5, Some("a")), post(5, None), post(5, Some("a"))], 1);
    check(&[post(5, Some("a")), post(5, Some("b")), post(5, None)], 2);
    check(&[post(5, Some("a")), post(900, Some("a")), post(6, None)], 2);
}

#[test]
fn a_month_that_is_not_over_is_pending() {
    let monthly = rule(1, CountUnit::Post, RuleWindow::Month);
    let judgement = verdict_at(&monthly, WEEK_MINUTES, &[], &Coverage::default()).unwrap();
    assert_eq!(judgement.verdict, Verdict::Pending);
}

fn any_count() -> impl Strategy<Value = CountUnit> {
    prop::sample::select(CountUnit::ALL)
}

fn any_window() -> impl Strategy<Value = RuleWindow> {
    prop_oneof![Just(RuleWindow::Week), (1_u16..30).prop_map(RuleWindow::RollingDays), Just(RuleWindow::Month)]
}

/// From three weeks before the week to one week after it.
fn any_minutes() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(-3 * WEEK_MINUTES..2 * WEEK_MINUTES, 0..12)
}

fn any_spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((-4 * WEEK_MINUTES..WEEK_MINUTES, 1..6 * WEEK_MINUTES), 0..5)
}

proptest! {
    #[test]
    fn the_order_of_the_evidence_does_not_matter(
        minutes in any_minutes(), spans in any_spans(), min in 0_u32..5, count in any_count(), window in any_window(),
        as_of in 0..5 * WEEK_MINUTES, seed in any::<u64>(),
    ) {
        let rule = rule(min, count, window);
        let before = verdict_at(&rule, as_of, &posts(&minutes), &coverage(&spans));
        let (mut minutes, mut spans) = (minutes, spans);
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut minutes);
        random.shuffle(&mut spans);
        prop_assert_eq!(before, verdict_at(&rule, as_of, &posts(&minutes), &coverage(&spans)));
    }

    /// One more post: `met` stays, anything else may only become `met`. One more span: `met`, `short` and `pending`
    /// stay, `unverified` may become `short`. Never the other way.
    #[test]
    fn more_evidence_never_takes_a_verdict_back(
        minutes in any_minutes(), spans in any_spans(), min in 0_u32..5, count in any_count(), window in any_window(),
        as_of in 0..5 * WEEK_MINUTES, post in -3 * WEEK_MINUTES..2 * WEEK_MINUTES,
        span in (-4 * WEEK_MINUTES..WEEK_MINUTES, 1..6 * WEEK_MINUTES),
    ) {
        let rule = rule(min, count, window);
        let judge = |minutes: &[i64], spans: &[(i64, i64)]| {
            verdict_at(&rule, as_of, &posts(minutes), &coverage(spans)).unwrap().verdict
        };
        let before = judge(&minutes, &spans);
        let with_post = judge(&[minutes.as_slice(), &[post]].concat(), &spans);
        prop_assert!(with_post == before || with_post == Verdict::Met, "{before} became {with_post}");
        let with_span = judge(&minutes, &[spans.as_slice(), &[span]].concat());
        let allowed = with_span == before || (before, with_span) == (Verdict::Unverified, Verdict::Short);
        prop_assert!(allowed, "{before} became {with_span}");
    }

    /// The articles of one push have one publish minute. One more article, or the push id of one more article,
    /// never takes a push away.
    #[test]
    fn knowing_more_of_the_pushes_never_lowers_their_number(
        articles in prop::collection::vec((0_i64..4, prop::option::of(0_u8..2)), 1..12), learnt in any::<prop::sample::Index>(),
    ) {
        let count = |articles: &[(i64, Option<u8>)]| {
            let posts: Vec<CountedPost> = articles
                .iter()
                .map(|(at, push)| CountedPost {
                    published_at: minute(*at),
                    push_key: push.map(|push| format!("{at}-{push}")),
                    original: true,
                })
                .collect();
            count_updates(posts.iter(), CountUnit::Push, CALENDAR)
        };
        prop_assert!(count(&articles[1..]) <= count(&articles));
        let mut known_better = articles.clone();
        known_better[learnt.index(articles.len())].1.get_or_insert(0);
        prop_assert!(count(&articles) <= count(&known_better));
    }

    /// An independent statement of the rule: minute by minute.
    #[test]
    fn short_is_said_only_where_every_minute_of_a_closed_window_was_seen(
        minutes in any_minutes(), spans in any_spans(), min in 0_u32..5, as_of in 0..2 * WEEK_MINUTES,
    ) {
        let found = minutes.iter().filter(|at| (0..WEEK_MINUTES).contains(*at)).count();
        let seen = (0..WEEK_MINUTES).all(|at| spans.iter().any(|(from, length)| (*from..from + length).contains(&at)));
        let expected = if found >= usize::try_from(min).unwrap() {
            Verdict::Met
        } else if as_of < WEEK_MINUTES {
            Verdict::Pending
        } else if seen {
            Verdict::Short
        } else {
            Verdict::Unverified
        };
        let weekly = rule(min, CountUnit::Post, RuleWindow::Week);
        let judged = verdict_at(&weekly, as_of, &posts(&minutes), &coverage(&spans)).unwrap();
        prop_assert_eq!(judged.verdict, expected);
    }

    #[test]
    fn a_post_outside_the_window_changes_nothing(minutes in any_minutes(), min in 0_u32..5, count in any_count()) {
        let weekly = rule(min, count, RuleWindow::Week);
        let inside: Vec<i64> = minutes.iter().copied().filter(|at| (0..WEEK_MINUTES).contains(at)).collect();
        let whole = coverage(&[(0, WEEK_MINUTES)]);
        prop_assert_eq!(verdict(&weekly, &posts(&minutes), &whole), verdict(&weekly, &posts(&inside), &whole));
    }
}

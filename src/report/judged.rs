//! Every account judged for one week: the step from evidence to verdicts, shared by the report, its comparison with
//! last week and the frequency problems to be stored.

use std::collections::HashMap;

use chrono::{DateTime, Days, Utc};

use super::input::WeeklyInput;
use crate::model::AccountId;
use crate::model::account::{Account, Unit};
use crate::model::coverage::Coverage;
use crate::model::post::CountedPost;
use crate::model::rule::{CountUnit, Exemption, FrequencyRule, RuleLevel};
use crate::model::verdict::{Judgement, Verdict};
use crate::model::week::{Calendar, Week, Window};
use crate::report::weekly::Tally;
use crate::rules::frequency::{Evidence, Period, count_updates, judge, rule_window, was_active};

/// An account with its verdicts of one week.
#[derive(Clone, Debug)]
pub struct JudgedAccount<'a> {
    pub account: &'a Account,
    pub unit: Option<&'a Unit>,
    /// All through the week.
    pub was_active: bool,
    pub posts: u32,
    pub pushes: u32,
    pub judgements: Vec<Judgement>,
}

impl JudgedAccount<'_> {
    /// The weightiest verdict of all rules, or of those of one level.
    pub fn verdict(&self, level: Option<RuleLevel>) -> Option<Verdict> {
        self.judgements
            .iter()
            .filter(|judgement| level.is_none_or(|level| judgement.level == level))
            .map(|judgement| judgement.verdict)
            .max_by_key(|verdict| weight(*verdict))
    }

    pub fn with_verdict(&self, verdict: Verdict) -> impl Iterator<Item = &Judgement> {
        self.judgements.iter().filter(move |judgement| judgement.verdict == verdict)
    }
}

fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Short => 4,
        Verdict::Unverified => 3,
        Verdict::Pending => 2,
        Verdict::Met => 1,
        Verdict::Exempt => 0,
    }
}

/// The earliest publish time that the report of a week asks for: last week, and the longest rule window of both.
pub fn posts_needed(calendar: Calendar, week: Week, rules: &[FrequencyRule]) -> DateTime<Utc> {
    let last_week = week_before(calendar, week);
    let windows = rules.iter().map(|rule| rule_window(rule.window, calendar, last_week).from);
    windows.fold(calendar.week_window(last_week).from, DateTime::min)
}

pub fn week_before(calendar: Calendar, week: Week) -> Week {
    calendar.week_of(week.first_day - Days::new(1))
}

/// The instant at which a week is judged: its end, or `as_of` while it is not over.
pub fn judged_at(calendar: Calendar, week: Week, as_of: DateTime<Utc>) -> DateTime<Utc> {
    as_of.min(calendar.week_window(week).to)
}

/// Judges every account for `week`, in the order in which reports list accounts: level, region and id of the unit,
/// then kind and id of the account. An account whose unit is unknown comes last and has no verdicts.
pub fn judge_accounts<'a>(input: &WeeklyInput<'a>, week: Week) -> Vec<JudgedAccount<'a>> {
    let units: HashMap<&str, &Unit> = input.units.iter().map(|unit| (unit.id.as_str(), unit)).collect();
    let exemptions = exemptions_by_account(input.exemptions);
    let mut rules: Vec<&FrequencyRule> = input.rules.iter().collect();
    rules.sort_by(|a, b| (a.level, &a.id).cmp(&(b.level, &b.id)));
    let period = Period { calendar: input.calendar, week, as_of: judged_at(input.calendar, week, input.as_of) };
    let window = input.calendar.week_window(week);
    let unseen = Coverage::default();

    let mut judged: Vec<JudgedAccount<'a>> = input
        .accounts
        .iter()
        .map(|account| {
            let unit = units.get(account.unit.as_str()).copied();
            let posts: &[CountedPost] = input.posts.get(&account.id).map_or(&[], Vec::as_slice);
            let inactive = input.inactive.get(&account.id).map_or(&[][..], Vec::as_slice);
            let coverage = input.coverage.get(&account.id).unwrap_or(&unseen);
            let evidence = Evidence { posts, coverage, inactive };
            let excuses = exemptions.get(&account.id).map_or(&[][..], Vec::as_slice);
            let judgements =
                rules.iter().filter_map(|rule| judge(rule, account, unit?, excuses, period, evidence)).collect();
            JudgedAccount {
                account,
                unit,
                was_active: was_active(account, inactive, window),
                posts: count_within(posts, CountUnit::Post, window, input.calendar),
                pushes: count_within(posts, CountUnit::Push, window, input.calendar),
                judgements,
            }
        })
        .collect();
    judged.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    judged
}

/// Accounts by their weightiest verdict.
pub fn tally<'a, 'b: 'a>(accounts: impl Iterator<Item = &'a JudgedAccount<'b>>) -> Tally {
    let mut tally = Tally::default();
    for judged in accounts {
        tally.accounts += 1;
        tally.posts += judged.posts;
        tally.pushes += judged.pushes;
        let column = match judged.verdict(None) {
            Some(Verdict::Met) => &mut tally.met,
            Some(Verdict::Short) => &mut tally.short,
            Some(Verdict::Unverified) => &mut tally.unverified,
            Some(Verdict::Pending) => &mut tally.pending,
            Some(Verdict::Exempt) => &mut tally.exempt,
            None if judged.was_active => &mut tally.no_rule,
            None => &mut tally.inactive,
        };
        *column += 1;
    }
    tally
}

fn count_within(posts: &[CountedPost], unit: CountUnit, window: Window, calendar: Calendar) -> u32 {
    count_updates(posts.iter().filter(|post| window.contains(post.published_at)), unit, calendar)
}

/// Sorted by id, so that of two exemptions the same one is named on every run.
fn exemptions_by_account(exemptions: &[Exemption]) -> HashMap<AccountId, Vec<Exemption>> {
    let mut by_account: HashMap<AccountId, Vec<Exemption>> = HashMap::new();
    for exemption in exemptions {
        by_account.entry(exemption.account.clone()).or_default().push(exemption.clone());
    }
    for list in by_account.values_mut() {
        list.sort_by(|a, b| a.id.cmp(&b.id));
    }
    by_account
}

fn sort_key<'a>(judged: &'a JudgedAccount<'_>) -> impl Ord + use<'a> {
    let place = judged.unit.map(|unit| (unit.level, unit.region.as_str()));
    (place.is_none(), place, judged.account.unit.as_str(), judged.account.kind, judged.account.id.as_str())
}

//! The warning digest (内容更新预警): unit by unit, the accounts that will fall short unless they publish, as data and as a
//! text that can be sent on as it is. Pure.
//!
//! Invariant: a warning is no problem: it has no id, is stored nowhere and stands in no report.

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::roll_up::local;
use super::text::{self, TEXT_CHARS_MAX, clean};
use super::violations::{demand, measure_word};
use super::weekly::LocalTime;
use crate::model::account::{Account, AccountKind, Unit};
use crate::model::coverage::Coverage;
use crate::model::post::CountedPost;
use crate::model::rule::{CountUnit, Exemption, FrequencyRule, RuleLevel, RuleWindow};
use crate::model::week::{Calendar, Window};
use crate::model::{AccountId, RuleId, UnitId};
use crate::rules::frequency::{Evidence, rule_window};
use crate::rules::warning::{Asked, Warning, WarningKind, warn, week_asked};

/// What the digest is made of.
#[derive(Clone, Copy, Debug)]
pub struct WarningInput<'a> {
    pub calendar: Calendar,
    pub now: DateTime<Utc>,
    pub seen_within: TimeDelta,
    pub office: &'a str,
    pub units: &'a [Unit],
    pub accounts: &'a [Account],
    pub rules: &'a [FrequencyRule],
    pub exemptions: &'a [Exemption],
    /// Posts with a publish time, from [`posts_needed_for_warnings`] up to now.
    pub posts: &'a HashMap<AccountId, Vec<CountedPost>>,
    pub coverage: &'a HashMap<AccountId, Coverage>,
    /// When accounts were not active.
    pub inactive: &'a HashMap<AccountId, Vec<Window>>,
}

/// All warnings of one moment: the machine contract `duwang.warnings/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WarningDigest {
    pub schema: &'static str,
    pub at: LocalTime,
    pub office: String,
    /// Units with a warning, by level, region and id.
    pub units: Vec<UnitWarnings>,
}

/// The warnings of one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitWarnings {
    pub unit: UnitId,
    pub unit_name: String,
    pub region: String,
    pub warnings: Vec<AccountWarning>,
}

/// One account and one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountWarning {
    pub account: AccountId,
    pub account_name: String,
    pub kind: AccountKind,
    pub warning: WarningKind,
    pub rule: RuleId,
    pub level: RuleLevel,
    /// The demand in words, such as `每周更新不少于3次`.
    pub demand: String,
    pub counted: u32,
    pub required: u32,
    pub count: CountUnit,
    /// The end of the window.
    pub deadline: LocalTime,
}

/// The earliest publish time that warnings at `now` ask for.
pub fn posts_needed_for_warnings(calendar: Calendar, now: DateTime<Utc>, rules: &[FrequencyRule]) -> DateTime<Utc> {
    let from = |window: RuleWindow| rule_window(window, calendar, week_asked(window, calendar, now)).from;
    rules.iter().filter(|rule| rule.warn_before.is_some()).map(|rule| from(rule.window)).fold(now, DateTime::min)
}

/// Asks every rule about every account.
pub fn warning_digest(input: &WarningInput<'_>) -> WarningDigest {
    let mut by_account: HashMap<&AccountId, Vec<Exemption>> = HashMap::new();
    for exemption in input.exemptions {
        by_account.entry(&exemption.account).or_default().push(exemption.clone());
    }
    let mut rules: Vec<&FrequencyRule> = input.rules.iter().collect();
    rules.sort_by(|a, b| (a.level, &a.id).cmp(&(b.level, &b.id)));
    let mut accounts: HashMap<&UnitId, Vec<&Account>> = HashMap::new();
    for account in input.accounts {
        accounts.entry(&account.unit).or_default().push(account);
    }
    let mut units: Vec<&Unit> = input.units.iter().collect();
    units.sort_by(|a, b| (a.level, &a.region, &a.id).cmp(&(b.level, &b.region, &b.id)));
    let unseen = Coverage::default();
    let asked = Asked { calendar: input.calendar, now: input.now, seen_within: input.seen_within };
    let mut warned = Vec::new();
    for unit in units {
        let mut of_unit = accounts.remove(&unit.id).unwrap_or_default();
        of_unit.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        let mut warnings = Vec::new();
        for account in of_unit {
            let evidence = Evidence {
                posts: input.posts.get(&account.id).map_or(&[], Vec::as_slice),
                coverage: input.coverage.get(&account.id).unwrap_or(&unseen),
                inactive: input.inactive.get(&account.id).map_or(&[], Vec::as_slice),
            };
            let excuses = by_account.get(&account.id).map_or(&[][..], Vec::as_slice);
            let found =
                rules.iter().filter_map(|rule| Some((*rule, warn(rule, account, unit, excuses, asked, evidence)?)));
            warnings.extend(found.map(|(rule, warning)| account_warning(account, rule, &warning, input.calendar)));
        }
        if !warnings.is_empty() {
            let (unit_name, region) = (clean(&unit.name, TEXT_CHARS_MAX), clean(&unit.region, TEXT_CHARS_MAX));
            warned.push(UnitWarnings { unit: unit.id.clone(), unit_name, region, warnings });
        }
    }
    WarningDigest {
        schema: "duwang.warnings/1",
        at: local(input.calendar, input.now),
        office: clean(input.office, TEXT_CHARS_MAX),
        units: warned,
    }
}

fn account_warning(account: &Account, rule: &FrequencyRule, warning: &Warning, calendar: Calendar) -> AccountWarning {
    AccountWarning {
        account: account.id.clone(),
        account_name: clean(&account.name, TEXT_CHARS_MAX),
        kind: account.kind,
        warning: warning.kind,
        rule: warning.rule.clone(),
        level: warning.level,
        demand: demand(rule),
        counted: warning.counted,
        required: warning.required,
        count: warning.unit,
        deadline: local(calendar, warning.deadline()),
    }
}

impl WarningDigest {
    /// Accounts with a warning of this kind; an account with several rules counts once.
    pub fn count(&self, kind: WarningKind) -> usize {
        let warnings = self.units.iter().flat_map(|unit| &unit.warnings);
        let mut accounts: Vec<&AccountId> =
            warnings.filter(|warning| warning.warning == kind).map(|warning| &warning.account).collect();
        accounts.dedup();
        accounts.len()
    }

    /// The whole digest as a text.
    pub fn text(&self) -> String {
        let mut text = format!("政务新媒体内容更新预警（{}）\n", text::minute(self.at));
        if self.units.is_empty() {
            text.push_str("\n各账号目前均无需预警。\n");
            return text;
        }
        for unit in &self.units {
            let _ = write!(text, "\n{}", unit.text());
        }
        let _ = write!(text, "\n以上为预警提示，请及时更新。预警不作为问题通报。\n{}\n", self.office);
        text
    }
}

impl UnitWarnings {
    /// What is told to the unit.
    pub fn text(&self) -> String {
        let mut text = format!("{}：\n", self.unit_name);
        for (index, warning) in self.warnings.iter().enumerate() {
            let _ = writeln!(text, "{}.{}", index + 1, warning.text());
        }
        text
    }
}

impl AccountWarning {
    fn text(&self) -> String {
        let measure = measure_word(self.count);
        let who = format!("“{}”（{}）", self.account_name, self.kind.label());
        let rule = format!("{}“{}”", self.level.label(), self.demand);
        let missing = self.required.saturating_sub(self.counted);
        let deadline = text::moment_end(self.deadline);
        match self.warning {
            WarningKind::WillFallShort => format!(
                "【{}】{who}截至目前已更新{}{measure}，距{rule}尚差{missing}{measure}，请于{deadline}前更新。",
                self.warning.label(),
                self.counted,
            ),
            WarningKind::Unverified => format!(
                "【{}】{who}截至目前仅核查到更新{}{measure}，因采集不完整，是否达到{rule}尚未核实。请自行核对，如有不足请于{deadline}前更新。",
                self.warning.label(),
                self.counted,
            ),
        }
    }
}

impl std::fmt::Display for WarningDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} units warned, {} accounts will fall short, {} accounts unverified",
            self.units.len(),
            self.count(WarningKind::WillFallShort),
            self.count(WarningKind::Unverified),
        )
    }
}

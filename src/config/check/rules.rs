//! `rules.yaml` → frequency rules.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::Known;
use crate::config::reader::{Field, Table};
use crate::config::values::{self, Fault};
use crate::model::account::{AccountKind, UnitLevel};
use crate::model::rule::{AppliesTo, CountUnit, DateRange, FrequencyRule, RuleLevel, RuleWindow};
use crate::model::{AccountId, RuleId, UnitId};

/// Most rules; dozens are usual.
const RULES_MAX: usize = 1_000;
/// Most values in one list of `applies_to`.
const APPLIES_MAX: usize = 100_000;
/// Most updates a rule can ask for.
const MIN_MAX: u32 = 10_000;
/// Longest rolling window, in days.
const ROLLING_DAYS_MAX: u32 = 366;

/// Reads the rules and the ids that exemptions may name; `known` is `None` where the registry could not be read.
pub(super) fn check(root: &Field<'_>, known: Option<&Known>) -> (Vec<FrequencyRule>, HashSet<String>) {
    let mut rules = Vec::new();
    let mut ids = HashSet::new();
    let Some(table) = root.table() else { return (rules, ids) };
    if let Some(list) = table.optional("rules") {
        let items = list.items();
        if items.len() > RULES_MAX {
            list.wrong(Fault::new(format!("has more than {RULES_MAX} rules"), "remove some"));
        }
        for item in items.iter().take(RULES_MAX) {
            let Some(table) = item.table() else { continue };
            rules.extend(rule(&table, known, &mut ids));
            table.finish();
        }
    }
    table.finish();
    (rules, ids)
}

fn rule(table: &Table<'_>, known: Option<&Known>, ids: &mut HashSet<String>) -> Option<FrequencyRule> {
    let id = table.required("id").and_then(|field| {
        let id = field.read(values::id)?;
        if !ids.insert(id.clone()) {
            field.wrong(Fault::new("is the id of a rule above", "give each rule its own id"));
        }
        Some(id)
    });
    let applies_to = table.optional("applies_to").map(|field| applies_to(&field, known)).unwrap_or_default();
    let require = table.required("require").and_then(|field| requirement(&field));
    let originals_only = table.optional("originals_only").map(|field| field.read(values::boolean));
    let level = table.required("level").and_then(|field| field.read(|text| values::word(text, RuleLevel::ALL)));
    let effective = table.optional("effective").map(|field| date_range(&field)).unwrap_or_default();
    let warn_before = table.optional("warn_before").and_then(|field| field.read(values::positive_duration));
    let basis = table.required("basis").and_then(|field| field.read(values::line));
    let (min, count, window) = require?;
    Some(FrequencyRule {
        id: RuleId::new(id?),
        applies_to,
        min,
        count,
        window,
        originals_only: originals_only.unwrap_or(Some(false))?,
        level: level?,
        effective,
        warn_before: warn_before.and_then(|duration| TimeDelta::from_std(duration).ok()),
        basis: basis?,
    })
}

fn applies_to(field: &Field<'_>, known: Option<&Known>) -> AppliesTo {
    let Some(table) = field.table() else { return AppliesTo::default() };
    let unit_remedy = "add it under `units` in the registry or correct the id";
    let account_remedy = "add it under `accounts` in the registry or correct the id";
    let region_remedy = "write the region as a unit of the registry has it";
    let applies_to = AppliesTo {
        kinds: list(&table, "kinds", |item| item.read(|text| values::word(text, AccountKind::ALL))),
        units: list(&table, "units", |item| {
            reference(item, known.map(|known| &known.units), "is not a unit of the registry", unit_remedy)
                .map(UnitId::new)
        }),
        regions: list(&table, "regions", |item| {
            let region = item.read(values::line)?;
            if known.is_some_and(|known| !known.regions.contains(&region)) {
                item.wrong(Fault::new("is not the region of any unit", region_remedy));
            }
            Some(region)
        }),
        unit_levels: list(&table, "unit_levels", |item| item.read(|text| values::word(text, UnitLevel::ALL))),
        accounts: list(&table, "accounts", |item| {
            reference(item, known.map(|known| &known.accounts), "is not an account of the registry", account_remedy)
                .map(AccountId::new)
        }),
    };
    table.finish();
    applies_to
}

fn list<'a, T>(table: &Table<'a>, key: &'static str, read: impl Fn(&Field<'a>) -> Option<T>) -> Vec<T> {
    let Some(field) = table.optional(key) else { return Vec::new() };
    let items = field.items();
    if items.len() > APPLIES_MAX {
        field.wrong(Fault::new(format!("has more than {APPLIES_MAX} values"), "restrict by kind or region instead"));
        return Vec::new();
    }
    if items.is_empty() {
        // An empty list would not restrict at all, which nobody means who writes it.
        field.wrong(Fault::new("is an empty list", "remove the key: without it the rule is not restricted"));
    }
    items.iter().filter_map(read).collect()
}

/// An id that must exist, where it is known which exist.
pub(super) fn reference(
    field: &Field<'_>,
    known: Option<&HashSet<String>>,
    problem: &str,
    remedy: &str,
) -> Option<String> {
    let id = field.read(values::id)?;
    if known.is_some_and(|known| !known.contains(&id)) {
        field.wrong(Fault::new(problem, remedy));
    }
    Some(id)
}

fn requirement(field: &Field<'_>) -> Option<(u32, CountUnit, RuleWindow)> {
    let table = field.table()?;
    let min = table.required("min").and_then(|field| field.read(|text| values::whole(text, 1, MIN_MAX)));
    let count = table.required("count").and_then(|field| field.read(|text| values::word(text, CountUnit::ALL)));
    let window = table.required("window").and_then(|field| window(&field));
    table.finish();
    Some((min?, count?, window?))
}

fn window(field: &Field<'_>) -> Option<RuleWindow> {
    if field.is_table() {
        let table = field.table()?;
        let days = table
            .required("rolling_days")
            .and_then(|field| field.read(|text| values::whole(text, 1, ROLLING_DAYS_MAX)));
        table.finish();
        return days.and_then(|days| u16::try_from(days).ok()).map(RuleWindow::RollingDays);
    }
    field.read(|text| match text {
        "week" => Ok(RuleWindow::Week),
        "month" => Ok(RuleWindow::Month),
        _ => Err(Fault::new("is not a window", "write `week`, `month` or `{rolling_days: 14}`")),
    })
}

fn date_range(field: &Field<'_>) -> DateRange {
    let Some(table) = field.table() else { return DateRange::default() };
    let from = table.optional("from").and_then(|field| field.read(values::date));
    let to = table.optional("to").and_then(|field| {
        let to = field.read(values::date)?;
        if from.is_some_and(|from| from > to) {
            field.wrong(ends_before_it_begins());
        }
        Some(to)
    });
    table.finish();
    DateRange { from, to }
}

pub(super) fn ends_before_it_begins() -> Fault {
    Fault::new("is earlier than `from`", "both days are included: write `to` on or after `from`")
}

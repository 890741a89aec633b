//! `exemptions.yaml` → exemptions on file.

use std::collections::HashSet;

use super::Known;
use super::rules::{ends_before_it_begins, reference};
use crate::config::reader::{Field, Table};
use crate::config::values::{self, Fault};
use crate::model::rule::Exemption;
use crate::model::{AccountId, ExemptionId, RuleId};

/// Most exemptions on file.
const EXEMPTIONS_MAX: usize = 100_000;
/// Most rules named by one exemption.
const RULES_MAX: usize = 1_000;

/// Reads the exemptions; what accounts and rules exist is `None` where their file could not be read.
pub(super) fn check(root: &Field<'_>, known: Option<&Known>, rule_ids: Option<&HashSet<String>>) -> Vec<Exemption> {
    let Some(table) = root.table() else { return Vec::new() };
    let mut exemptions = Vec::new();
    let mut ids = HashSet::new();
    if let Some(list) = table.optional("exemptions") {
        let items = list.items();
        if items.len() > EXEMPTIONS_MAX {
            list.wrong(Fault::new(format!("has more than {EXEMPTIONS_MAX} entries"), "remove those long over"));
        }
        for item in items.iter().take(EXEMPTIONS_MAX) {
            let Some(table) = item.table() else { continue };
            exemptions.extend(exemption(&table, known, rule_ids, &mut ids));
            table.finish();
        }
    }
    table.finish();
    exemptions
}

fn exemption(
    table: &Table<'_>,
    known: Option<&Known>,
    rule_ids: Option<&HashSet<String>>,
    ids: &mut HashSet<String>,
) -> Option<Exemption> {
    let id = table.required("id").and_then(|field| {
        let id = field.read(values::id)?;
        if !ids.insert(id.clone()) {
            field.wrong(Fault::new("is the id of an exemption above", "give each exemption its own id"));
        }
        Some(id)
    });
    let account = table.required("account").and_then(|field| {
        let remedy = "add it under `accounts` in the registry or correct the id";
        reference(&field, known.map(|known| &known.accounts), "is not an account of the registry", remedy)
    });
    let rules = table.optional("rules").map(|field| rules(&field, rule_ids)).unwrap_or_default();
    let from = table.required("from").and_then(|field| field.read(values::date));
    let to = table.required("to").and_then(|field| {
        let to = field.read(values::date)?;
        if from.is_some_and(|from| from > to) {
            field.wrong(ends_before_it_begins());
        }
        Some(to)
    });
    let reason = table.required("reason").and_then(|field| field.read(values::line));
    let reported_by = table.required("reported_by").and_then(|field| field.read(values::line));
    Some(Exemption {
        id: ExemptionId::new(id?),
        account: AccountId::new(account?),
        rules,
        from: from?,
        to: to?,
        reason: reason?,
        reported_by: reported_by?,
    })
}

fn rules(field: &Field<'_>, rule_ids: Option<&HashSet<String>>) -> Vec<RuleId> {
    let items = field.items();
    if items.is_empty() || items.len() > RULES_MAX {
        field.wrong(Fault::new(
            format!("does not name 1 to {RULES_MAX} rules"),
            "name the rules, or remove the key: without it the exemption is from all rules",
        ));
        return Vec::new();
    }
    let remedy = "name an id of rules.yaml";
    items
        .iter()
        .filter_map(|item| reference(item, rule_ids, "is not a rule of rules.yaml", remedy).map(RuleId::new))
        .collect()
}

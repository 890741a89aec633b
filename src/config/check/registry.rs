//! `accounts.yaml` → [`Registry`].

use std::collections::{HashMap, HashSet};

use super::{Known, source};
use crate::config::reader::{Field, Table};
use crate::config::values::{self, Fault};
use crate::config::{ACCOUNTS_MAX, Registry};
use crate::model::account::{Account, AccountKind, AccountStatus, Source, Unit, UnitLevel};
use crate::model::{AccountId, UnitId};

/// Most sources of one account.
pub(in crate::config) const SOURCES_MAX: usize = 20;

/// Reads units and accounts; wrong ones are recorded and left out, but their ids are known.
pub(super) fn check(root: &Field<'_>) -> (Registry, Known) {
    let mut registry = Registry::default();
    let mut known = Known::default();
    let Some(table) = root.table() else { return (registry, known) };
    let units = table.optional("units");
    let accounts = table.optional("accounts");
    table.finish();

    let mut supervisors = HashMap::new();
    for item in units.iter().flat_map(limited) {
        let Some(table) = item.table() else { continue };
        registry.units.extend(unit(&table, &mut known, &mut supervisors));
        table.finish();
    }
    check_supervisors(&mut registry.units, &supervisors, &known);
    for item in accounts.iter().flat_map(limited) {
        let Some(table) = item.table() else { continue };
        registry.accounts.extend(account(&table, &mut known));
        table.finish();
    }
    (registry, known)
}

fn limited<'a>(field: &Field<'a>) -> Vec<Field<'a>> {
    let mut items = field.items();
    if items.len() > ACCOUNTS_MAX {
        field.wrong(Fault::new(format!("has more than {ACCOUNTS_MAX} entries"), "split the registry"));
        items.truncate(ACCOUNTS_MAX);
    }
    items
}

fn unit<'a>(table: &Table<'a>, known: &mut Known, supervisors: &mut HashMap<String, Field<'a>>) -> Option<Unit> {
    let id = new_id(table, &mut known.units);
    let name = table.required("name").and_then(|field| field.read(values::line));
    let level = table.required("level").and_then(|field| field.read(|text| values::word(text, UnitLevel::ALL)));
    let region = table.required("region").and_then(|field| field.read(values::line));
    known.regions.extend(region.clone());
    let supervisor = table.optional("supervisor");
    let supervisor_id = supervisor.as_ref().and_then(|field| field.read(values::id)).map(UnitId::new);
    if let (Some(id), Some(field)) = (&id, supervisor) {
        supervisors.insert(id.clone(), field);
    }
    Some(Unit { id: UnitId::new(id?), name: name?, level: level?, region: region?, supervisor: supervisor_id })
}

fn account(table: &Table<'_>, known: &mut Known) -> Option<Account> {
    let id = new_id(table, &mut known.accounts);
    let name = table.required("name").and_then(|field| field.read(values::line));
    let unit = table.required("unit").and_then(|field| {
        let id = field.read(values::id)?;
        if !known.units.contains(&id) {
            field.wrong(unknown_unit());
        }
        Some(UnitId::new(id))
    });
    let kind = table.required("kind").and_then(|field| field.read(|text| values::word(text, AccountKind::ALL)));
    let platform_id = table.optional("platform_id").map(|field| field.read(values::line));
    let status = table.optional("status").map(|field| field.read(|text| values::word(text, AccountStatus::ALL)));
    let filed_on = table.optional("filed_on").map(|field| field.read(values::date));
    // With a wrong id the sources are checked all the same.
    let owner = AccountId::new(id.clone().unwrap_or_default());
    let sources = table.optional("sources").map(|field| sources(&field, &owner)).unwrap_or_default();
    Some(Account {
        id: AccountId::new(id?),
        name: name?,
        unit: unit?,
        kind: kind?,
        platform_id: platform_id.flatten(),
        status: status.unwrap_or(Some(AccountStatus::Active))?,
        filed_on: filed_on.flatten(),
        sources,
    })
}

fn sources(field: &Field<'_>, owner: &AccountId) -> Vec<Source> {
    let items = field.items();
    if items.len() > SOURCES_MAX {
        field.wrong(Fault::new(format!("has more than {SOURCES_MAX} sources"), "keep the best ones"));
        return Vec::new();
    }
    let mut sources: Vec<Source> = Vec::with_capacity(items.len());
    for item in items {
        let Some(source) = source::check(&item, owner) else { continue };
        if sources.iter().any(|other| other.id == source.id) {
            item.wrong(Fault::new("has the kind and address of a source above", "remove one of the two"));
        }
        sources.push(source);
    }
    sources
}

/// The `id` of an entry, which no entry before it may have.
fn new_id(table: &Table<'_>, taken: &mut HashSet<String>) -> Option<String> {
    let field = table.required("id")?;
    let id = field.read(values::id)?;
    if !taken.insert(id.clone()) {
        field.wrong(Fault::new("is the id of an entry above", "give each its own id"));
    }
    Some(id)
}

fn check_supervisors(units: &mut [Unit], fields: &HashMap<String, Field<'_>>, known: &Known) {
    for unit in units.iter_mut() {
        let Some(field) = fields.get(unit.id.as_str()) else { continue };
        if unit.supervisor.as_ref().is_some_and(|id| !known.units.contains(id.as_str())) {
            field.wrong(unknown_unit());
        }
    }
    for unit in supervisor_cycles(units) {
        if let Some(field) = fields.get(unit.as_str()) {
            field.wrong(Fault::new(
                format!("leads from `{unit}` back to itself"),
                "remove `supervisor` from the highest of these units",
            ));
        }
    }
}

fn unknown_unit() -> Fault {
    Fault::new("is not a unit of this file", "add it under `units` or correct the id")
}

/// One unit of each ring of supervisors: the first in the order of the file.
pub(in crate::config) fn supervisor_cycles(units: &[Unit]) -> Vec<UnitId> {
    let index_of: HashMap<&str, usize> =
        units.iter().enumerate().map(|(index, unit)| (unit.id.as_str(), index)).collect();
    let above = |index: usize| {
        units[index].supervisor.as_ref().and_then(|supervisor| index_of.get(supervisor.as_str()).copied())
    };
    // 0 = not visited; otherwise the number of the walk that came by first.
    let mut walk_of = vec![0_usize; units.len()];
    let mut found = Vec::new();
    for start in 0..units.len() {
        let mut at = start;
        while walk_of[at] == 0 {
            walk_of[at] = start + 1;
            match above(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        let closes_ring = walk_of[at] == start + 1 && above(at).is_some();
        if closes_ring {
            found.extend(first_of_ring(at, above).map(|first| units[first].id.clone()));
        }
    }
    found
}

/// The smallest index of the ring that `at` lies on; `None` if it lies on none.
fn first_of_ring(at: usize, above: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    let (mut first, mut next) = (at, above(at)?);
    while next != at {
        first = first.min(next);
        next = above(next)?;
    }
    Some(first)
}

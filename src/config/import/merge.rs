//! Drafts + registry → plan. Finds the unit and account each row means, and what would change.

use std::collections::{HashMap, HashSet};

use super::row::{AccountDraft, Draft, UnitDraft};
use super::{Change, FieldChange, ImportPlan, RowPlace};
use crate::config::error::ConfigError;
use crate::config::values::Fault;
use crate::config::{ACCOUNTS_MAX, Registry, check};
use crate::model::account::{Account, AccountStatus, Source, Unit, UnitLevel};
use crate::model::{AccountId, UnitId, digest_hex};

/// Hex digits of a derived id; 40 bits keep 100,000 accounts apart.
const DERIVED_DIGITS: usize = 10;

/// Merges the drafts into a copy of the registry; any error means no plan.
pub(super) fn merge(current: &Registry, drafts: Vec<Draft>) -> Result<ImportPlan, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let mut units = Units::new(&current.units);
    let owners: Vec<Option<usize>> = drafts
        .iter()
        .map(|draft| units.take(&draft.place, &draft.unit, draft.account.as_ref(), current, &mut errors))
        .collect();
    let units = units.finish(&mut errors);
    let mut accounts = Accounts::new(&current.accounts);
    for (draft, owner) in drafts.into_iter().zip(owners) {
        let owner = owner.and_then(|index| units.get(index)).map(|unit| unit.id.clone());
        if let (Some(account), Some(owner)) = (draft.account, owner) {
            accounts.take(&draft.place, account, owner, &mut errors);
        }
    }
    if units.len() > ACCOUNTS_MAX || accounts.accounts.len() > ACCOUNTS_MAX {
        errors.push(ConfigError::of_file(
            "accounts.yaml",
            format!("would have more than {ACCOUNTS_MAX} units or accounts"),
            "split the registry",
        ));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(plan(current, Registry { units, accounts: accounts.accounts }, &accounts.taken))
}

fn plan(current: &Registry, registry: Registry, taken: &HashSet<usize>) -> ImportPlan {
    let mut plan = ImportPlan::default();
    for (index, unit) in registry.units.iter().enumerate() {
        match current.units.get(index) {
            None => plan.units_added.push(unit.id.clone()),
            Some(old) => plan.units_changed.extend(change(unit.id.as_str(), &unit.name, unit_fields(old, unit))),
        }
    }
    for (index, account) in registry.accounts.iter().enumerate() {
        let Some(old) = current.accounts.get(index) else {
            plan.added.push(account.id.clone());
            continue;
        };
        match change(account.id.as_str(), &account.name, account_fields(old, account)) {
            Some(change) => plan.changed.push(change),
            None => plan.n_unchanged += usize::from(taken.contains(&index)),
        }
    }
    plan.registry = registry;
    plan
}

fn change(id: &str, name: &str, fields: Vec<(&'static str, String, String)>) -> Option<Change> {
    let fields: Vec<FieldChange> = fields
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(field, old, new)| FieldChange { field, old, new })
        .collect();
    (!fields.is_empty()).then(|| Change { id: id.to_owned(), name: name.to_owned(), fields })
}

fn unit_fields(old: &Unit, new: &Unit) -> Vec<(&'static str, String, String)> {
    let supervisor = |unit: &Unit| unit.supervisor.as_ref().map(ToString::to_string).unwrap_or_default();
    vec![
        ("name", old.name.clone(), new.name.clone()),
        ("level", old.level.to_string(), new.level.to_string()),
        ("region", old.region.clone(), new.region.clone()),
        ("supervisor", supervisor(old), supervisor(new)),
    ]
}

fn account_fields(old: &Account, new: &Account) -> Vec<(&'static str, String, String)> {
    let filed_on = |account: &Account| account.filed_on.map(|day| day.to_string()).unwrap_or_default();
    vec![
        ("name", old.name.clone(), new.name.clone()),
        ("unit", old.unit.to_string(), new.unit.to_string()),
        ("kind", old.kind.to_string(), new.kind.to_string()),
        ("platform_id", old.platform_id.clone().unwrap_or_default(), new.platform_id.clone().unwrap_or_default()),
        ("status", old.status.to_string(), new.status.to_string()),
        ("filed_on", filed_on(old), filed_on(new)),
        ("sources", sources_text(&old.sources), sources_text(&new.sources)),
    ]
}

fn sources_text(sources: &[Source]) -> String {
    let texts: Vec<String> = sources
        .iter()
        .map(|source| {
            let options = super::row::options_of(&source.spec);
            format!("{} {} {options}", source.spec.kind(), source.url).trim_end().to_owned()
        })
        .collect();
    texts.join("; ")
}

/// A unit while rows speak of it.
struct UnitSlot {
    id: String,
    name: Option<String>,
    level: Option<UnitLevel>,
    region: Option<String>,
    supervisor: Option<UnitId>,
    /// What the table says, with the row that said it first.
    place: Option<RowPlace>,
    said: UnitDraft,
}

struct Units {
    slots: Vec<UnitSlot>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Units {
    fn new(current: &[Unit]) -> Self {
        let mut units = Self { slots: Vec::new(), by_id: HashMap::new(), by_name: HashMap::new() };
        for unit in current {
            units.push(UnitSlot {
                id: unit.id.as_str().to_owned(),
                name: Some(unit.name.clone()),
                level: Some(unit.level),
                region: Some(unit.region.clone()),
                supervisor: unit.supervisor.clone(),
                place: None,
                said: UnitDraft::default(),
            });
        }
        units
    }

    fn push(&mut self, slot: UnitSlot) -> usize {
        let index = self.slots.len();
        self.by_id.insert(slot.id.clone(), index);
        if let Some(name) = &slot.name {
            self.by_name.entry(name.clone()).or_default().push(index);
        }
        self.slots.push(slot);
        index
    }

    /// The unit that a row means; what the row says of it is remembered.
    fn take(
        &mut self,
        place: &RowPlace,
        said: &UnitDraft,
        account: Option<&AccountDraft>,
        current: &Registry,
        errors: &mut Vec<ConfigError>,
    ) -> Option<usize> {
        let index = match (&said.id, &said.name) {
            (Some(id), name) => {
                self.by_id.get(id).copied().unwrap_or_else(|| self.push(new_slot(id.clone(), name.clone())))
            }
            (None, Some(name)) => match self.find(name) {
                Ok(Some(index)) => index,
                Ok(None) => {
                    let id = format!("u-{}", digest_hex([name.as_str()], DERIVED_DIGITS));
                    if self.by_id.contains_key(&id) {
                        errors.push(place.error("主办单位", name, derived_id_taken("单位ID", &id)));
                        return None;
                    }
                    self.push(new_slot(id, Some(name.clone())))
                }
                Err(fault) => {
                    errors.push(place.error("主办单位", name, fault));
                    return None;
                }
            },
            (None, None) => {
                // A row that names a known account need not repeat its unit.
                let known = account.and_then(|account| account.id.as_ref());
                let known = known.and_then(|id| current.accounts.iter().find(|account| account.id.as_str() == id));
                let Some(owner) = known else {
                    errors.push(place.error("主办单位", "", Fault::new("is empty", "write the unit that runs it")));
                    return None;
                };
                return self.by_id.get(owner.unit.as_str()).copied();
            }
        };
        self.slots[index].hear(place, said, errors);
        Some(index)
    }

    /// A unit by id, else by its only bearer of the name.
    fn find(&self, text: &str) -> Result<Option<usize>, Fault> {
        if let Some(index) = self.by_id.get(text) {
            return Ok(Some(*index));
        }
        match self.by_name.get(text).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([index]) => Ok(Some(*index)),
            Some(_) => Err(Fault::new("is the name of several units", "fill `单位ID`, or write the id")),
        }
    }

    /// Puts what was said into the units.
    fn finish(self, errors: &mut Vec<ConfigError>) -> Vec<Unit> {
        let mut supervisors = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let found = slot.said.supervisor.as_ref().map(|text| (text, self.find(text)));
            supervisors.push(match (found, &slot.place) {
                (Some((_, Ok(Some(index)))), _) => Some(UnitId::new(self.slots[index].id.clone())),
                (Some((text, Ok(None))), Some(place)) => {
                    let remedy = "add a row with its `主办单位`, `单位层级` and `地区`, or correct the name";
                    errors.push(place.error("主管单位", text, Fault::new("is not a known unit", remedy)));
                    None
                }
                (Some((text, Err(fault))), Some(place)) => {
                    errors.push(place.error("主管单位", text, fault));
                    None
                }
                _ => slot.supervisor.clone(),
            });
        }
        let places: Vec<Option<RowPlace>> = self.slots.iter().map(|slot| slot.place.clone()).collect();
        let n_slots = self.slots.len();
        let units: Vec<Unit> = self
            .slots
            .into_iter()
            .zip(supervisors)
            .filter_map(|(slot, supervisor)| slot.into_unit(supervisor, errors))
            .collect();
        if units.len() == n_slots {
            for id in check::supervisor_cycles(&units) {
                let index = units.iter().position(|unit| unit.id == id).unwrap_or_default();
                if let Some(place) = places.get(index).and_then(Option::as_ref) {
                    let fault = Fault::new(format!("leads from `{id}` back to itself"), "correct one of these units");
                    errors.push(place.error("主管单位", "", fault));
                }
            }
        }
        units
    }
}

/// Something renamed bears the id that this name would get.
fn derived_id_taken(column: &str, id: &str) -> Fault {
    Fault::new(format!("would get the id `{id}`, which another bears"), format!("fill the column `{column}`"))
}

fn new_slot(id: String, name: Option<String>) -> UnitSlot {
    UnitSlot { id, name, level: None, region: None, supervisor: None, place: None, said: UnitDraft::default() }
}

impl UnitSlot {
    /// Remembers what a row says; two rows may not say different things.
    fn hear(&mut self, place: &RowPlace, said: &UnitDraft, errors: &mut Vec<ConfigError>) {
        let mut differs = |column: &str, value: &str, first: &str| {
            let fault = Fault::new(format!("differs from `{first}` in a row above"), "write the same for one unit");
            errors.push(place.error(column, value, fault));
        };
        // Without an id the name cell may hold the id.
        let name = said.name.as_ref().filter(|name| **name != self.id);
        let texts = [
            ("主办单位", &mut self.said.name, name),
            ("地区", &mut self.said.region, said.region.as_ref()),
            ("主管单位", &mut self.said.supervisor, said.supervisor.as_ref()),
        ];
        for (column, heard, text) in texts {
            match (heard.as_ref(), text) {
                (Some(first), Some(text)) if first != text => differs(column, text, first),
                (None, Some(text)) => *heard = Some(text.clone()),
                _ => {}
            }
        }
        match (self.said.level, said.level) {
            (Some(first), Some(level)) if first != level => differs("单位层级", level.label(), first.label()),
            (None, Some(level)) => self.said.level = Some(level),
            _ => {}
        }
        self.place.get_or_insert_with(|| place.clone());
    }

    fn into_unit(self, supervisor: Option<UnitId>, errors: &mut Vec<ConfigError>) -> Option<Unit> {
        let name = self.said.name.or(self.name);
        let level = self.said.level.or(self.level);
        let region = self.said.region.or(self.region);
        if let Some(place) = &self.place {
            let unit = name.as_deref().unwrap_or(&self.id);
            let missing = [("主办单位", name.is_none()), ("单位层级", level.is_none()), ("地区", region.is_none())];
            for (column, _) in missing.into_iter().filter(|(_, missing)| *missing) {
                let fault = Fault::new(format!("is empty for the new unit `{unit}`"), "fill it in one of its rows");
                errors.push(place.error(column, "", fault));
            }
        }
        Some(Unit { id: UnitId::new(self.id), name: name?, level: level?, region: region?, supervisor })
    }
}

struct Accounts {
    accounts: Vec<Account>,
    by_id: HashMap<String, usize>,
    by_key: HashMap<(String, &'static str, String), usize>,
    /// Accounts of which a row has spoken.
    taken: HashSet<usize>,
}

impl Accounts {
    fn new(current: &[Account]) -> Self {
        let key = |account: &Account| (account.unit.to_string(), account.kind.as_str(), account.name.clone());
        Self {
            accounts: current.to_vec(),
            by_id: current.iter().enumerate().map(|(i, account)| (account.id.to_string(), i)).collect(),
            by_key: current.iter().enumerate().map(|(i, account)| (key(account), i)).collect(),
            taken: HashSet::new(),
        }
    }

    fn take(&mut self, place: &RowPlace, draft: AccountDraft, owner: UnitId, errors: &mut Vec<ConfigError>) {
        let index = match self.find(&draft, &owner) {
            Some(index) => index,
            None => match self.push(place, &draft, &owner, errors) {
                Some(index) => index,
                None => return,
            },
        };
        if !self.taken.insert(index) {
            let fault = Fault::new("is the account of a row above", "keep one row for each account");
            errors.push(place.error("账号名称", draft.name.as_deref().unwrap_or_default(), fault));
            return;
        }
        let account = &mut self.accounts[index];
        account.unit = owner;
        account.name = draft.name.unwrap_or_else(|| account.name.clone());
        account.kind = draft.kind.unwrap_or(account.kind);
        account.platform_id = draft.platform_id.or_else(|| account.platform_id.take());
        account.status = draft.status.unwrap_or(account.status);
        account.filed_on = draft.filed_on.or(account.filed_on);
        let Some(drafts) = draft.sources else { return };
        account.sources.clear();
        for draft in drafts {
            let refuse = |fault| place.error("采集地址", &draft.url, fault);
            match check::source_from_json(&account.id, &draft.kind, &draft.url, &draft.options) {
                Ok(source) if account.sources.iter().any(|other| other.id == source.id) => {
                    errors.push(refuse(Fault::new("stands there twice", "keep one of the two")));
                }
                Ok(source) => account.sources.push(source),
                // The address is in the fault, unless it must not be shown.
                Err(faults) => errors.extend(faults.into_iter().map(|fault| place.error("采集地址", "", fault))),
            }
        }
        if account.sources.len() > check::SOURCES_MAX {
            let fault = Fault::new(format!("has more than {} sources", check::SOURCES_MAX), "keep the best ones");
            errors.push(place.error("采集地址", "", fault));
        }
    }

    fn find(&self, draft: &AccountDraft, owner: &UnitId) -> Option<usize> {
        if let Some(id) = &draft.id {
            return self.by_id.get(id).copied();
        }
        let (kind, name) = draft.kind.zip(draft.name.clone())?;
        self.by_key.get(&(owner.to_string(), kind.as_str(), name)).copied()
    }

    /// Adds a new account, with an id derived from its unit, kind and name where none is given.
    fn push(
        &mut self,
        place: &RowPlace,
        draft: &AccountDraft,
        owner: &UnitId,
        errors: &mut Vec<ConfigError>,
    ) -> Option<usize> {
        for (column, missing) in [("账号名称", draft.name.is_none()), ("账号类型", draft.kind.is_none())] {
            if missing {
                errors.push(place.error(column, "", Fault::new("is empty for a new account", "fill it in")));
            }
        }
        let (name, kind) = draft.name.clone().zip(draft.kind)?;
        let key = (owner.to_string(), kind.as_str(), name.clone());
        let id = draft.id.clone().unwrap_or_else(|| {
            let parts = [key.0.as_str(), key.1, key.2.as_str()];
            format!("a-{}", digest_hex(parts, DERIVED_DIGITS))
        });
        if self.by_id.contains_key(&id) {
            errors.push(place.error("账号名称", &name, derived_id_taken("账号ID", &id)));
            return None;
        }
        let index = self.accounts.len();
        self.by_id.insert(id.clone(), index);
        self.by_key.insert(key, index);
        self.accounts.push(Account {
            id: AccountId::new(id),
            name,
            unit: owner.clone(),
            kind,
            platform_id: None,
            status: AccountStatus::Active,
            filed_on: None,
            sources: Vec::new(),
        });
        Some(index)
    }
}

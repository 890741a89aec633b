//! Drafts + registry → plan. Finds the unit and account each row means, and what would change.

use std::collections::{HashMap, HashSet};

use super::row::{AccountDraft, Draft};
use super::units::{DERIVED_DIGITS, Units, derived_id_taken};
use super::{Change, FieldChange, ImportPlan, RowPlace};
use crate::config::error::ConfigError;
use crate::config::values::Fault;
use crate::config::{ACCOUNTS_MAX, Registry, check};
use crate::model::account::{Account, AccountStatus, Source, Unit};
use crate::model::{AccountId, UnitId, digest_hex};

/// Merges the drafts into a copy of the registry; any error means no plan.
pub(super) fn merge(current: &Registry, drafts: Vec<Draft>) -> Result<ImportPlan, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let mut units = Units::new(current);
    let owners: Vec<Option<usize>> =
        drafts.iter().map(|draft| units.take(&draft.place, &draft.unit, draft.account.as_ref(), &mut errors)).collect();
    let units = units.finish(&mut errors);
    let mut accounts = Accounts::new(&current.accounts);
    for (draft, owner) in drafts.into_iter().zip(owners) {
        let owner = owner.and_then(|index| units.get(index)).map(|unit| unit.id.clone());
        if let (Some(account), Some(owner)) = (draft.account, owner) {
            accounts.take(&draft.place, account, owner, &mut errors);
        }
    }
    if units.len() > ACCOUNTS_MAX || accounts.all.len() > ACCOUNTS_MAX {
        errors.push(ConfigError::of_file(
            "accounts.yaml",
            format!("would have more than {ACCOUNTS_MAX} units or accounts"),
            "split the registry",
        ));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(plan(current, Registry { units, accounts: accounts.all }, &accounts.taken))
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

struct Accounts {
    all: Vec<Account>,
    by_id: HashMap<String, usize>,
    by_key: HashMap<(String, &'static str, String), usize>,
    /// Accounts of which a row has spoken.
    taken: HashSet<usize>,
}

impl Accounts {
    fn new(current: &[Account]) -> Self {
        let key = |account: &Account| (account.unit.to_string(), account.kind.as_str(), account.name.clone());
        Self {
            all: current.to_vec(),
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
        let account = &mut self.all[index];
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
        let index = self.all.len();
        self.by_id.insert(id.clone(), index);
        self.by_key.insert(key, index);
        self.all.push(Account {
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

//! The unit each row means: by id, else by name, else a new one; and what the rows say of it.

use std::collections::HashMap;

use super::RowPlace;
use super::row::{AccountDraft, UnitDraft};
use crate::config::error::ConfigError;
use crate::config::values::Fault;
use crate::config::{Registry, check};
use crate::model::account::{Unit, UnitLevel};
use crate::model::{UnitId, digest_hex};

/// Hex digits of a derived id; 40 bits keep 100,000 accounts apart.
pub(super) const DERIVED_DIGITS: usize = 10;

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

/// The units of the registry, and what the rows say of them.
pub(super) struct Units {
    slots: Vec<UnitSlot>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
    /// The unit of each account that the registry has already.
    owner_of: HashMap<String, UnitId>,
}

impl Units {
    pub(super) fn new(current: &Registry) -> Self {
        let mut units =
            Self { slots: Vec::new(), by_id: HashMap::new(), by_name: HashMap::new(), owner_of: HashMap::new() };
        units.owner_of = current.accounts.iter().map(|a| (a.id.to_string(), a.unit.clone())).collect();
        for unit in &current.units {
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
    pub(super) fn take(
        &mut self,
        place: &RowPlace,
        said: &UnitDraft,
        account: Option<&AccountDraft>,
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
                let known = account.and_then(|account| self.owner_of.get(account.id.as_ref()?));
                let Some(owner) = known else {
                    errors.push(place.error("主办单位", "", Fault::new("is empty", "write the unit that runs it")));
                    return None;
                };
                return self.by_id.get(owner.as_str()).copied();
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
    pub(super) fn finish(self, errors: &mut Vec<ConfigError>) -> Vec<Unit> {
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
pub(super) fn derived_id_taken(column: &str, id: &str) -> Fault {
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

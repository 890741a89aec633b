//! Registry tables: CSV or XLSX with Chinese or English headers → the difference they make to a registry.
//!
//! A table is merged: a row changes the account it names (by id, else by unit, kind and name) or adds one; nothing is
//! ever removed, and an empty cell leaves what is there. All rows are read, all errors are collected, and one error
//! means that nothing is imported. Pure: bytes in, plan out.

mod columns;
mod merge;
mod row;
mod table;
mod units;
mod words;

pub(super) use columns::{Column, EXPORTED};
pub(super) use row::options_of;
pub(super) use table::{CSV_BOM, escape_formula};

use super::error::{ConfigError, ConfigErrors, quoted};
use super::values::Fault;
use super::{Registry, check};
use crate::model::{AccountId, UnitId};

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// The registry after the import.
    pub registry: Registry,
    pub units_added: Vec<UnitId>,
    pub units_changed: Vec<Change>,
    pub added: Vec<AccountId>,
    pub changed: Vec<Change>,
    /// Accounts named by the table that stay as they are.
    pub n_unchanged: usize,
}

impl ImportPlan {
    /// Whether the registry would stay as it is.
    pub fn is_empty(&self) -> bool {
        self.units_added.is_empty() && self.units_changed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }
}

/// A unit or account that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub id: String,
    pub name: String,
    pub fields: Vec<FieldChange>,
}

/// One changed field, as configuration words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub field: &'static str,
    pub old: String,
    pub new: String,
}

/// Reads a table (`.csv`, `.xlsx`) or a registry file (`.yaml`) and says what it would change.
pub fn plan_import(current: &Registry, file: &str, bytes: &[u8]) -> Result<ImportPlan, ConfigErrors> {
    let is_yaml = file.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "yaml" | "yml"));
    let drafts = if is_yaml {
        row::drafts_of(&check::check_registry_yaml(file, bytes)?, file)
    } else {
        let mut errors = Vec::new();
        let drafts = row::read_rows(file, bytes, &mut errors);
        if !errors.is_empty() {
            return Err(ConfigErrors(errors));
        }
        drafts
    };
    merge::merge(current, drafts).map_err(ConfigErrors)
}

/// A registry that is kept as a table.
pub(super) fn read_registry(file: &str, bytes: &[u8]) -> Result<Registry, Vec<ConfigError>> {
    plan_import(&Registry::default(), file, bytes).map(|plan| plan.registry).map_err(|errors| errors.0)
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RowPlace {
    file: std::sync::Arc<str>,
    sheet: std::sync::Arc<str>,
    /// Counted from 1, as spreadsheets do.
    row: usize,
}

impl RowPlace {
    fn error(&self, column: &str, value: &str, fault: Fault) -> ConfigError {
        ConfigError {
            file: self.file.to_string(),
            line: None,
            path: format!("sheet `{}`, row {}, column `{column}`", self.sheet, self.row),
            value: (!value.is_empty()).then(|| quoted(value)),
            problem: fault.problem,
            remedy: fault.remedy,
        }
    }
}

#[cfg(test)]
mod tests;

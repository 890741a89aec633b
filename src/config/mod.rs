//! Configuration: files → raw structs → checked types.

pub mod settings;

use crate::model::account::{Account, Unit};
use crate::model::rule::{Exemption, FrequencyRule};
use settings::Settings;

/// A whole, checked configuration folder: what exists here is valid.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder the files came from.
    pub dir: std::path::PathBuf,
    pub settings: Settings,
    pub registry: Registry,
    pub rules: Vec<FrequencyRule>,
    pub exemptions: Vec<Exemption>,
}

/// Units and accounts, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    pub units: Vec<Unit>,
    pub accounts: Vec<Account>,
}

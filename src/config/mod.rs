//! Configuration and registry: the operator's files → checked types, or every error of every file at once.
//!
//! A folder holds `duwang.yaml` (service), `accounts.yaml` (or `.csv`, `.xlsx`: registry), `rules.yaml` and, where there
//! are any, `exemptions.yaml`. Reading has three steps: [`load`] takes bytes and environment, a tree gives every value
//! its line, and the checks in `check/` turn trees into [`Config`]. What exists as [`Config`] is valid.
//!
//! Knows nothing of the database and the network; the only place that reads the environment. No async. Start reading at
//! [`check_sources`], which is pure.

mod check;
pub mod credentials;
mod error;
mod export;
pub mod import;
pub mod notify;
mod reader;
pub mod settings;
mod tree;
mod values;
mod write;

use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use check::check_sources;
pub use error::{ConfigError, ConfigErrors};
pub use export::{ExportError, TableFormat, export_registry};
pub use write::{WriteError, accounts_yaml, write_accounts_yaml};

use crate::model::account::{Account, Unit};
use crate::model::rule::{Exemption, FrequencyRule};
use crate::model::{AccountId, UnitId};
use settings::Settings;

/// Largest file of a configuration folder.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most accounts, and most units, of a registry.
pub const ACCOUNTS_MAX: usize = 100_000;
/// Where the configuration is looked for when `./config` does not exist.
pub const SYSTEM_DIR: &str = "/etc/duwang";
/// The environment variables that override scalars of `duwang.yaml` begin with this.
pub const ENV_PREFIX: &str = "DUWANG__";

/// The names under which a registry may be kept; one of them at a time.
const REGISTRY_FILES: [&str; 3] = ["accounts.yaml", "accounts.csv", "accounts.xlsx"];

/// A whole, checked configuration folder: what exists here is valid.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder the files came from.
    pub dir: PathBuf,
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

impl Registry {
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == *id)
    }

    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == *id)
    }
}

/// The bytes of a folder's files; `None` where there is no such file.
#[derive(Clone, Default)]
pub struct Files {
    pub dir: PathBuf,
    /// `duwang.yaml`.
    pub settings: Option<Vec<u8>>,
    /// File name (`accounts.yaml`, `accounts.csv`, `accounts.xlsx`) and bytes of each registry found.
    pub registries: Vec<(String, Vec<u8>)>,
    /// `rules.yaml`.
    pub rules: Option<Vec<u8>>,
    /// `exemptions.yaml`.
    pub exemptions: Option<Vec<u8>>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The bytes may hold a database password.
        f.debug_struct("Files").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Reads and checks a configuration folder, with the overrides of the environment.
pub fn load(dir: &Path) -> Result<Config, ConfigErrors> {
    let files = read_files(dir)?;
    #[expect(clippy::disallowed_methods, reason = "configuration is the one reader of the environment")]
    let env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(ENV_PREFIX))?;
            // Bytes that are no text become a value that the check refuses.
            Some((name, value.to_string_lossy().into_owned()))
        })
        .collect();
    check_sources(&files, &env)
}

/// Reads and checks the registry alone, for `accounts import`: `Ok(None)` where the folder has none yet.
pub fn load_registry(dir: &Path) -> Result<Option<Registry>, ConfigErrors> {
    let files = read_files(dir)?;
    if files.registries.is_empty() { Ok(None) } else { check::check_registry_files(&files).map(Some) }
}

/// The folder to use: the given one, else `./config`, else `/etc/duwang`.
pub fn find_dir(explicit: Option<&Path>) -> PathBuf {
    match explicit {
        Some(dir) => dir.to_owned(),
        None if Path::new("config").is_dir() => PathBuf::from("config"),
        None => PathBuf::from(SYSTEM_DIR),
    }
}

/// Where throwaway folders go, as the environment says.
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

/// What the environment says of logs.
#[derive(Clone, Debug, Default)]
pub struct LogEnvironment {
    /// `DUWANG_LOG`: levels, such as `info` or `duwang::engine=debug`.
    pub levels: Option<String>,
    /// `JOURNAL_STREAM`: device and inode of the stream that systemd connected to the journal.
    pub journal_stream: Option<String>,
}

pub fn log_environment() -> LogEnvironment {
    #[expect(clippy::disallowed_methods, reason = "configuration is the one reader of the environment")]
    let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    LogEnvironment { levels: value("DUWANG_LOG"), journal_stream: value("JOURNAL_STREAM") }
}

/// Reads the bytes of all files of a folder.
pub fn read_files(dir: &Path) -> Result<Files, ConfigErrors> {
    if !dir.is_dir() {
        return Err(ConfigError::of_file(
            &dir.display().to_string(),
            "is not a folder",
            "give the configuration folder with `--config DIR`; `config/` of the distribution is an example to copy",
        )
        .into());
    }
    let mut errors = Vec::new();
    let mut read = |name: &str| read_file(dir, name).map_err(|found| errors.extend(found.0)).ok().flatten();
    let files = Files {
        dir: dir.to_owned(),
        settings: read("duwang.yaml"),
        registries: REGISTRY_FILES.iter().filter_map(|name| Some(((*name).to_owned(), read(name)?))).collect(),
        rules: read("rules.yaml"),
        exemptions: read("exemptions.yaml"),
    };
    if errors.is_empty() { Ok(files) } else { Err(ConfigErrors(errors)) }
}

fn read_file(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, ConfigErrors> {
    let unreadable = |error: &std::io::Error| {
        ConfigErrors::from(ConfigError::of_file(
            name,
            format!("cannot be read ({error})"),
            "check its owner and rights",
        ))
    };
    let file = match std::fs::File::open(dir.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::of_file(name, "is larger than 64 MiB", "is it the right file?").into());
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

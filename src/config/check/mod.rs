//! Trees → checked types. One file for each file of the folder; every error is collected, none stops the reading.

mod env;
mod exemptions;
mod notify;
mod registry;
mod rules;
mod settings;
mod source;

use std::collections::HashSet;

use super::error::{ConfigError, ConfigErrors};
use super::reader::{Field, Report};
use super::tree::{self, Node};
use super::{Config, Files, Registry, import};

pub(super) use registry::{SOURCES_MAX, supervisor_cycles};
pub(super) use source::source_from_json;

/// The ids that other files may refer to.
#[derive(Debug, Default)]
struct Known {
    units: HashSet<String>,
    accounts: HashSet<String>,
    regions: HashSet<String>,
}

/// Checks all files together with the overrides of the environment. Pure.
pub fn check_sources(files: &Files, env: &[(String, String)]) -> Result<Config, ConfigErrors> {
    let mut errors = Vec::new();
    let registries = check_registries(files);
    let known = match &registries {
        Ok((_, known)) => Some(known),
        Err(found) => found.known.as_deref(),
    };
    let settings = check_yaml(
        "duwang.yaml",
        files.settings.as_deref(),
        "create it: an empty file means every default, `config/duwang.yaml` shows all keys",
        &mut errors,
        |report, mut tree| {
            env::apply(&mut tree, env);
            settings::check(&Field::root(report, &tree), known)
        },
    );
    let registry = match registries {
        Ok(registry) => Some(registry),
        Err(found) => {
            errors.extend(found.errors);
            found.known.map(|known| (Registry::default(), *known))
        }
    };
    let known = registry.as_ref().map(|(_, known)| known);
    let rules = check_yaml(
        "rules.yaml",
        files.rules.as_deref(),
        "create it with `rules: []`, or copy `config/rules.yaml`",
        &mut errors,
        |report, tree| Some(rules::check(&Field::root(report, &tree), known)),
    );
    let (rules, rule_ids) = rules.map_or((Vec::new(), None), |(rules, ids)| (rules, Some(ids)));
    let exemptions = match files.exemptions.as_deref() {
        None => Some(Vec::new()),
        bytes => check_yaml("exemptions.yaml", bytes, "", &mut errors, |report, tree| {
            Some(exemptions::check(&Field::root(report, &tree), known, rule_ids.as_ref()))
        }),
    };
    match (settings, registry, exemptions) {
        (Some(settings), Some((registry, _)), Some(exemptions)) if errors.is_empty() => {
            Ok(Config { dir: files.dir.clone(), settings, registry, rules, exemptions })
        }
        _ => Err(ConfigErrors(errors)),
    }
}

/// Checks the registry alone.
pub(super) fn check_registry_files(files: &Files) -> Result<Registry, ConfigErrors> {
    check_registries(files).map(|(registry, _)| registry).map_err(|found| ConfigErrors(found.errors))
}

/// Checks a registry file of any name.
pub(super) fn check_registry_yaml(file: &str, bytes: &[u8]) -> Result<Registry, ConfigErrors> {
    let mut errors = Vec::new();
    let checked = check_yaml(file, Some(bytes), "", &mut errors, |report, tree| {
        Some(registry::check(&Field::root(report, &tree)))
    });
    match checked {
        Some((registry, _)) if errors.is_empty() => Ok(registry),
        _ => Err(ConfigErrors(errors)),
    }
}

/// A registry with errors: the ids are known nevertheless, so that references to them are not errors too.
struct FaultyRegistry {
    errors: Vec<ConfigError>,
    known: Option<Box<Known>>,
}

fn check_registries(files: &Files) -> Result<(Registry, Known), FaultyRegistry> {
    let of_file = |error: ConfigError| FaultyRegistry { errors: vec![error], known: None };
    let (name, bytes) = match files.registries.as_slice() {
        [(name, bytes)] => (name.as_str(), bytes.as_slice()),
        [] => {
            return Err(of_file(ConfigError::of_file(
                "accounts.yaml",
                "is missing",
                "copy `config/accounts.yaml`, or make one from a table with `duwang accounts import FILE`",
            )));
        }
        [(first, _), (second, _), ..] => {
            return Err(of_file(ConfigError::of_file(
                second,
                format!("stands beside `{first}`"),
                "keep one registry file and move the other away",
            )));
        }
    };
    if name != "accounts.yaml" {
        let registry = import::read_registry(name, bytes).map_err(|errors| FaultyRegistry { errors, known: None })?;
        let known = known_of(&registry);
        return Ok((registry, known));
    }
    let mut errors = Vec::new();
    let checked = check_yaml(name, Some(bytes), "", &mut errors, |report, tree| {
        Some(registry::check(&Field::root(report, &tree)))
    });
    match checked {
        Some((registry, known)) if errors.is_empty() => Ok((registry, known)),
        checked => Err(FaultyRegistry { errors, known: checked.map(|(_, known)| Box::new(known)) }),
    }
}

fn known_of(registry: &Registry) -> Known {
    Known {
        units: registry.units.iter().map(|unit| unit.id.as_str().to_owned()).collect(),
        accounts: registry.accounts.iter().map(|account| account.id.as_str().to_owned()).collect(),
        regions: registry.units.iter().map(|unit| unit.region.clone()).collect(),
    }
}

/// Reads one YAML file and adds its errors to the others.
fn check_yaml<T>(
    file: &str,
    bytes: Option<&[u8]>,
    how_to_make: &str,
    errors: &mut Vec<ConfigError>,
    check: impl FnOnce(&Report, Node) -> Option<T>,
) -> Option<T> {
    let Some(bytes) = bytes else {
        errors.push(ConfigError::of_file(file, "is missing", how_to_make));
        return None;
    };
    let report = Report::new(file);
    let checked = match parse_bytes(file, bytes) {
        Ok(tree) => check(&report, tree),
        Err(found) => {
            errors.extend(found.0);
            None
        }
    };
    errors.extend(report.into_errors());
    checked
}

fn parse_bytes(file: &str, bytes: &[u8]) -> Result<Node, ConfigErrors> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        ConfigError { line: Some(line), ..ConfigError::of_file(file, "is not UTF-8 text", "save the file as UTF-8") }
    })?;
    let tree = tree::parse(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(|error| ConfigError {
        line: Some(error.line),
        path: format!("column {}", error.column),
        ..ConfigError::of_file(file, error.problem, error.remedy)
    })?;
    Ok(tree)
}

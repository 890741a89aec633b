//! Registry → `accounts.yaml`: readable, in stable order, and replaced as a whole or not at all.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use super::{REGISTRY_FILES, Registry};
use crate::model::account::{Account, Source, SourceSpec, Unit};

const HEADER: &str = "\
# 单位与账号登记表。由 `duwang accounts import` 改写，也可手工修改；改后请运行 `duwang config check`。
# Units and accounts. Rewritten by `duwang accounts import`; the version before is kept as `accounts.yaml.bak`.
";

/// The registry file could not be replaced.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the registry is kept in `{0}`; change that file, or move it away and import it into `accounts.yaml`")]
    KeptElsewhere(String),
    #[error("`{path}` cannot be written ({source}); check the rights of the folder")]
    Io { path: String, source: std::io::Error },
}

/// Replaces `accounts.yaml` in one step; what was there before stays as `accounts.yaml.bak`.
pub fn write_accounts_yaml(dir: &Path, registry: &Registry) -> Result<(), WriteError> {
    let other = REGISTRY_FILES.iter().find(|name| **name != "accounts.yaml" && dir.join(name).exists());
    if let Some(other) = other {
        return Err(WriteError::KeptElsewhere((*other).to_owned()));
    }
    let target = dir.join("accounts.yaml");
    if target.exists() {
        let old = std::fs::read(&target).map_err(|source| failed(&target, source))?;
        replace(dir, "accounts.yaml.bak", &old)?;
    }
    replace(dir, "accounts.yaml", accounts_yaml(registry).as_bytes())
}

/// The text of `accounts.yaml`, which reads back to an equal registry.
pub fn accounts_yaml(registry: &Registry) -> String {
    let mut text = HEADER.to_owned();
    text.push_str(if registry.units.is_empty() { "units: []\n" } else { "units:\n" });
    for unit in &registry.units {
        push_unit(&mut text, unit);
    }
    text.push_str(if registry.accounts.is_empty() { "\naccounts: []\n" } else { "\naccounts:\n" });
    for account in &registry.accounts {
        push_account(&mut text, account);
    }
    text
}

fn push_unit(text: &mut String, unit: &Unit) {
    let mut fields = vec![
        ("id", scalar(unit.id.as_str())),
        ("name", scalar(&unit.name)),
        ("level", unit.level.to_string()),
        ("region", scalar(&unit.region)),
    ];
    fields.extend(unit.supervisor.as_ref().map(|id| ("supervisor", scalar(id.as_str()))));
    push_line(text, &format!("  - {}", flow(&fields)));
}

fn push_account(text: &mut String, account: &Account) {
    push_line(text, &format!("  - id: {}", scalar(account.id.as_str())));
    push_line(text, &format!("    name: {}", scalar(&account.name)));
    push_line(text, &format!("    unit: {}", scalar(account.unit.as_str())));
    push_line(text, &format!("    kind: {}", account.kind));
    if let Some(platform_id) = &account.platform_id {
        push_line(text, &format!("    platform_id: {}", scalar(platform_id)));
    }
    push_line(text, &format!("    status: {}", account.status));
    if let Some(filed_on) = account.filed_on {
        push_line(text, &format!("    filed_on: {filed_on}"));
    }
    if !account.sources.is_empty() {
        push_line(text, "    sources:");
    }
    for source in &account.sources {
        push_line(text, &format!("      - {}", flow(&source_fields(source))));
    }
}

fn source_fields(source: &Source) -> Vec<(&'static str, String)> {
    let mut fields = vec![("kind", source.spec.kind().to_owned()), ("url", string(source.url.as_str()))];
    match &source.spec {
        SourceSpec::Feed { freshness, bridge } => {
            if *freshness != crate::model::account::Freshness::Bridge {
                fields.push(("freshness", freshness.to_string()));
            }
            fields.extend(bridge.map(|bridge| ("bridge", bridge.to_string())));
        }
        SourceSpec::HtmlList(spec) => {
            fields.push(("item", string(&spec.item)));
            if !spec.link.is_empty() {
                fields.push(("link", string(&spec.link)));
            }
            fields.extend(spec.title.as_ref().map(|title| ("title", string(title))));
            fields.push(("date", string(&spec.date)));
            fields.extend(spec.date_format.as_ref().map(|format| ("date_format", string(format))));
            fields.extend(spec.next.as_ref().map(|next| ("next", string(next))));
            fields.push(("pages_max", spec.pages_max.to_string()));
        }
        SourceSpec::Interface(spec) => {
            fields.extend(spec.credential.as_ref().map(|name| ("credential", scalar(name))));
            fields.extend(spec.values.iter().map(|(name, value)| (*name, string(value))));
        }
    }
    fields
}

fn push_line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn flow(fields: &[(&'static str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", fields.join(", "))
}

/// A plain word where it cannot be taken for anything else, quotes otherwise.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        && !matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off");
    if plain { text.to_owned() } else { string(text) }
}

/// In double quotes: a JSON string is a YAML string.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Writes beside the target and renames: a crash leaves the old file or the new one.
fn replace(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
    let target = dir.join(name);
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if let Ok(metadata) = std::fs::metadata(&target) {
            file.set_permissions(metadata.permissions())?;
        }
        std::fs::rename(&temporary, &target)?;
        // The rename itself is on disk when the folder is.
        std::fs::File::open(dir)?.sync_all()
    })();
    written.map_err(|source| {
        let _ = std::fs::remove_file(&temporary);
        failed(&target, source)
    })
}

fn failed(path: &Path, source: std::io::Error) -> WriteError {
    WriteError::Io { path: path.display().to_string(), source }
}

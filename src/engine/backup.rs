//! The regular copy of the database, and the removal of old copies.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Engine;
use crate::store::backup::Backup;

/// How copies are named; only files named so are ever removed.
const NAME_START: &str = "duwang-";
const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// What one backup did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    pub file: PathBuf,
    pub bytes: u64,
    /// Old copies that went.
    pub removed: usize,
}

impl Engine {
    /// Copies the database into `backup.dir` and keeps the newest `backup.keep` copies.
    pub async fn backup(&self) -> anyhow::Result<BackupSummary> {
        let settings = &self.config.settings;
        let dir = self.config.dir.join(&settings.backup.dir);
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make `backup.dir` {}", dir.display()))?;
        let ending = self.store.backup_ending();
        let file = dir.join(format!("{NAME_START}{}.{ending}", self.clock.now().format(TIME_FORMAT)));
        let Backup { bytes } = self.store.backup(&settings.storage.url, &file, true).await?;
        let removed = remove_old(&dir, ending, settings.backup.keep as usize)?;
        Ok(BackupSummary { file, bytes, removed })
    }
}

/// Removes all but the newest copies; the time is in the name.
fn remove_old(dir: &Path, ending: &str, keep: usize) -> anyhow::Result<usize> {
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read `backup.dir` {}", dir.display()))? {
        let path = entry?.path();
        if is_copy(&path, ending) {
            copies.push(path);
        }
    }
    copies.sort();
    let n_old = copies.len().saturating_sub(keep);
    for old in &copies[..n_old] {
        std::fs::remove_file(old).with_context(|| format!("cannot remove the old backup {}", old.display()))?;
    }
    Ok(n_old)
}

fn is_copy(path: &Path, ending: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let time = name.strip_prefix(NAME_START).and_then(|rest| rest.strip_suffix(ending)?.strip_suffix('.'));
    time.is_some_and(|time| chrono::NaiveDateTime::parse_from_str(time, TIME_FORMAT).is_ok())
}

impl std::fmt::Display for BackupSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {}", self.bytes, self.file.display())?;
        if self.removed > 0 {
            write!(f, ", {} old backups removed", self.removed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_oldest_copies_of_ours_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "duwang-20261118T020000Z.db",
            "duwang-20261119T020000Z.db",
            "duwang-20261120T020000Z.db",
            "duwang-before-upgrade.db",
            "duwang-20261101T020000Z.dump",
            "other.db",
        ];
        for name in names {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(remove_old(dir.path(), "db", 2).unwrap(), 1);
        let left: Vec<&str> = names.into_iter().filter(|name| dir.path().join(name).exists()).collect();
        assert_eq!(left, names[1..]);
    }
}

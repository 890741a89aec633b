//! `duwang backup`: a consistent copy of the database, while the service works.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::{Output, Session};
use crate::store::Store;

#[derive(Debug, Args)]
pub struct Backup {
    /// Where the copy goes: an SQLite file, or a dump for `pg_restore`
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

impl Backup {
    /// Does not bring the schema up to date first: a backup is what one makes before that.
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let config = session.load_config()?;
        let url = &config.settings.storage.url;
        if let Some(file) = Store::sqlite_file(url, &config.dir).filter(|file| !file.exists()) {
            anyhow::bail!("there is no database at {}", file.display());
        }
        let store = Store::connect(url, &config.dir).await?;
        let backup = store.backup(url, &self.file, self.force).await.context("no backup was made")?;
        store.close().await;
        output.line(format_args!("{} bytes in {}", backup.bytes, self.file.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

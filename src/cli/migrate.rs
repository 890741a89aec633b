//! `duwang migrate`.

use std::process::ExitCode;

use super::{Output, Session};
use crate::store::Store;

pub async fn run(session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
    let config = session.load_config()?;
    let store = Store::connect(&config.settings.storage.url, &config.dir).await?;
    store.migrate().await?;
    store.close().await;
    output.line("the database is up to date")?;
    Ok(ExitCode::SUCCESS)
}
